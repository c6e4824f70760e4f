"""Bad input to each command, on a real machine: the right exit code, and a message that a stranger can act on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from alpesctl.runtimes.base import Room
from alpesctl.settings import settings
from tests.e2e.conftest import Done, Stack
from tests.engine import ONE_RUNTIME, engine

MISSPELT = "services: {web: {image: web, enviroment: {A: b}}}"
MISSING = "services: {web: {image: 'web:${WEB_VERSION:?say which version to run}'}}"

# What a person types wrong on a stack that is up: words → exit code, and what the message must say.
WRONG = [
    ("up nope", 2, "there is no service 'nope'", "the compose file has: pulsar"),
    ("status nope", 2, "there is no service 'nope'", "correct the name"),
    ("logs nope", 2, "there is no service 'nope'", "correct the name"),
    ("exec nope -- true", 2, "there is no service 'nope'", "correct the name"),
    ("scale nope=2", 2, "there is no service 'nope'", "correct the name"),
    ("scale tracking_worker=0", 2, "1 to 100 replicas", "alpesctl down stops the stack"),
    ("scale tracking_worker=-1", 2, "1 to 100 replicas", "alpesctl scale tracking_worker="),
    ("scale tracking_worker=1000", 2, "1 to 100 replicas", "alpesctl scale tracking_worker="),
    ("scale tracking=21", 2, "20 ports, one a replica", "a wider range of ports"),
    ("retention set --size 10", 2, "'10' is no size", "as in 10G"),
    ("retention set --time 7", 2, "'7' is no time", "as in 7d"),
    ("retention show nope", 2, "there is no topic 'nope'", "declared are: commands.tracking"),
    ("partition set commands.tracking=0", 2, "1 to 1000", "commands.tracking"),
    ("partition set nope=2", 2, "there is no topic 'nope'", "declared are: commands.tracking"),
    ("scenario performance --rate 0", 2, "above 0", "rate"),
    ("scenario performance --rate 10000000", 2, "at most 100,000", "rate"),
    ("logs --grep (", 2, "--grep (: no regular expression", "correct it"),
    ("logs --since yesterday", 2, "--since yesterday: no time", "10m, 1h30m"),
    ("stats --watch --interval 0", 2, "--interval 0", "between 0.2 and 3600"),
    ("exec tracking --index 99 -- true", 3, "there is no tracking-99", "alpesctl status"),
    ("--runtime nope status", 2, "there is no runtime 'nope'", "auto, docker or local"),
]

# Every command that needs a stack, while nothing is up.
DOWN = [
    ("stats", 3, "is not up", "alpesctl up"),
    ("stats --watch", 3, "nothing of the stack answers", "alpesctl up"),
    ("logs", 3, "nothing of the stack is up", "alpesctl up"),
    ("logs pulsar", 3, "pulsar is not up", "alpesctl up"),
    ("exec pulsar -- true", 3, "there is no pulsar-1", "alpesctl"),
    ("addresses", 3, "nothing of the stack is up", "alpesctl up"),
    ("retention show", 3, "pulsar is not up", "alpesctl up"),
    ("retention set --size 20G --time 7d", 3, "pulsar is not up", "alpesctl up"),
    ("partition show", 3, "pulsar is not up", "alpesctl up"),
    ("partition set commands.tracking=3", 3, "the broker can't be asked", "alpesctl up"),
    ("scenario performance", 3, "pulsar is not up", "alpesctl up"),
]


def complaint(done: Done, words: str, exit_code: int, *phrases: str) -> str:
    """What is wrong with the answer; "" where it is as it must be."""
    said = done.stdout + done.stderr
    missing = [phrase for phrase in phrases if phrase not in said]
    if done.exit_code == exit_code and not missing and "Traceback" not in said:
        return ""
    return f"alpesctl {words}: {done.exit_code}, not {exit_code}; it does not say {missing}:\n{said}"


def must_say(done: Done, words: str, exit_code: int, *phrases: str) -> None:
    assert complaint(done, words, exit_code, *phrases) == ""


on_one = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")


@pytest.fixture(scope="module")
def beside(stack: Stack) -> Iterator[Stack]:
    """Another project on the same ports, of which nothing is up."""
    made = replace(stack, project_name=f"{stack.project_name}-beside")
    yield made
    made.ok("down", "--volumes", "--yes")


@on_one
def test_a_wrong_word_must_be_named(stack: Stack) -> None:
    assert wrongly_answered(stack, WRONG) == []


def test_a_stack_that_is_down_must_be_named(beside: Stack) -> None:
    assert wrongly_answered(beside, DOWN) == []


def wrongly_answered(stack: Stack, table: list[tuple[str, int, str, str]]) -> list[str]:
    """What is wrong with the answers to a table's cases, a few of them asked at a time."""

    def ask(case: tuple[str, int, str, str]) -> str:
        words, exit_code, *phrases = case
        return complaint(stack.run(*words.split()), words, exit_code, *phrases)

    with ThreadPoolExecutor(4) as pool:
        return [found for found in pool.map(ask, table) if found]


@on_one
@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        (MISSPELT, ("services.web.enviroment", "environment")),
        (MISSING, ("WEB_VERSION", "say which version to run")),
    ],
)
def test_a_compose_file_that_can_not_be_read_must_be_named(
    stack: Stack, tmp_path: Path, text: str, phrases: tuple[str, ...]
) -> None:
    (tmp_path / "compose.yaml").write_text(text)
    words = ("--file", str(tmp_path / "compose.yaml"))
    must_say(stack.run(*words, "plan"), "plan", 2, *phrases)
    must_say(stack.run(*words, "doctor"), "doctor", 3, "✗ compose file", *phrases)


def test_a_port_that_is_taken_must_be_named_with_its_holder(stack: Stack, beside: Stack) -> None:
    port = str(stack.project().runtime.endpoint("tracking_db", 5432).port)
    holder = f"{stack.project_name}-tracking_db-1" if stack.runtime == "docker" else "postgres"
    must_say(beside.run("up", "tracking_db"), "up", 4, f"port {port} is held by", holder, ".env")
    must_say(beside.run("doctor"), "doctor", 4, f"✗ port {port}", holder, ".env")


def test_a_full_disk_under_the_brokers_data_must_be_named(stack: Stack, small: Stack) -> None:
    small.ok("up", "pulsar")
    assert "✗ disk" not in small.run("doctor").stdout
    room = data_of_pulsar(small)
    fill = f"head -c {room.free} /dev/zero >{room.path}/fill"
    small.run("exec", "pulsar", "--", "sh", "-c", fill)
    try:
        must_say(small.run("up", "pulsar"), "up", 4, "a disk is full: pulsar's data", "stops", "free space under")
        must_say(small.run("doctor"), "doctor", 4, "✗ disk: full: pulsar's data", "free space under")
        must_say(small.run("status"), "status", 0, "full: pulsar's data", "free space under")
    finally:
        small.run("exec", "pulsar", "--", "rm", f"{room.path}/fill")
    assert "✗ disk" not in small.run("doctor").stdout


def data_of_pulsar(stack: Stack) -> Room:
    return next(room for room in stack.project().runtime.rooms() if room.what.startswith("pulsar's data"))


@pytest.fixture
def small(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """Another project, on ports of its own, whose broker has little room for its data."""
    from tests.ports import free_ports

    broker, admin = free_ports(2)
    env_file = tmp_path / "env"
    env_file.write_text(f"{stack.env_file.read_text()}\nPULSAR_PORT={broker}\nPULSAR_ADMIN_PORT={admin}\n")
    made = replace(stack, project_name=f"{stack.project_name}-small", env_file=env_file)
    made.run("down", "--volumes", "--yes")
    if stack.runtime == "docker":
        with engine() as client:
            labels = {"com.docker.compose.project": made.project_name}
            options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={SIZE}"}
            client.volumes.create(f"{made.project_name}_pulsar_data", driver_opts=options, labels=labels)
        yield made
        made.ok("down", "--volumes", "--yes")
        return
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = settings().state_dir / made.project_name / "volumes" / "pulsar_data"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
    try:
        yield made
        made.ok("down")
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        made.ok("down", "--volumes", "--yes")


SIZE = "400m"


def test_a_failure_must_be_a_document(beside: Stack) -> None:
    done = beside.run("--json", "logs")
    assert json.loads(done.stdout)["error"]["code"] == "stack-down"
