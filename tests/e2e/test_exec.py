"""`alpesctl exec` must run a command where a replica runs, and pass on what goes in and comes out."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from tests.e2e.conftest import ROOT, Stack


def called(stack: Stack, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        stack.command("exec", *words),
        cwd=ROOT,
        env=stack.environment,
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_pulsars_own_tool_must_need_no_address(stack: Stack) -> None:
    done = called(stack, "pulsar", "--", "bin/pulsar-admin", "namespaces", "list", "public")
    assert (done.returncode, done.stdout.decode().split()) == (0, ["public/default"]), done.stderr


def test_input_output_and_exit_code_must_be_passed_on_byte_for_byte(stack: Stack) -> None:
    given = bytes(range(256)) * 1000
    script = "cat; echo aside >&2; exit 7"
    done = called(stack, "tracking", "--", "sh", "-c", script, given=given)
    assert (done.returncode, done.stdout == given, done.stderr) == (7, True, b"aside\n")


def test_a_replica_must_be_chosen_by_its_number(stack: Stack) -> None:
    done = called(stack, "tracking", "--index", "2", "--", "printenv", "ALPES_REPLICA")
    assert (done.returncode, done.stdout) == (0, b"tracking-2\n")


def test_a_document_must_hold_what_came_out(stack: Stack) -> None:
    done = stack.run("exec", "tracking", "--json", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.exit_code, done.data) == (3, {"exit_code": 3, "stdout": "out\n", "stderr": "err\n"})


def test_at_a_terminal_the_command_must_have_one(stack: Stack) -> None:
    ours, its = pty.openpty()
    try:
        words = stack.command("exec", "tracking", "--", "sh", "-c", "read line && test -t 0 && echo got $line")
        os.write(ours, b"some words\n")  # typed ahead, before there is anyone to read it
        done = subprocess.run(
            words, cwd=ROOT, env=stack.environment, stdin=its, stdout=its, stderr=its, timeout=30, check=False
        )
        assert done.returncode == 0
        assert b"got some words" in os.read(ours, 10_000)
    finally:
        os.close(ours)
        os.close(its)


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (("tracking", "--", "no-such-program"), 2, "no-such-program is not there"),
        (("tracking", "--index", "9", "--", "true"), 3, "there is no tracking-9"),
    ],
)
def test_what_can_not_be_run_must_be_named(stack: Stack, words: tuple[str, ...], exit_code: int, message: str) -> None:
    done = called(stack, *words)
    assert done.returncode == exit_code
    assert message.encode() in done.stderr
