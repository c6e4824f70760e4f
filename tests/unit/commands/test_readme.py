"""Every alpesctl line of the README must be a command that exists, with options that exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from alpesctl.cli import COMMANDS, application

ROOT = Path(__file__).resolve().parents[3]
WHOLE = (ROOT / "README.md").read_text()
README = re.sub(r"```.*?```", "", WHOLE, flags=re.DOTALL)
TYPED = re.findall(r"^\$ (?:\.venv/bin/)?alpesctl ([^#\n]*)", WHOLE, flags=re.MULTILINE)
LINES = sorted({*re.findall(r"`alpesctl ([^`]+)`", README), *(line.strip() for line in TYPED)})
# Those that need no stack and change nothing are run.
SAFE = ("--help", "scenario list", "runs", "doctor", "status", "plan", "addresses")


def words_of(line: str) -> list[str]:
    plain = re.sub(r"\[[^\]]*\]", "", line)
    return shlex.split(plain)


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_readme_must_parse(line: str) -> None:
    command: object = typer.main.get_command(application())
    words = words_of(line)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"{line}: no such command"
    context = command.make_context("alpesctl", words, resilient_parsing=False)  # type: ignore[attr-defined]
    context.close()


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith(SAFE)])
def test_a_command_of_the_readme_that_is_safe_must_end_in_words(line: str, tmp_path: Path) -> None:
    """No stack is up under this name: what needs one says so, with 3."""
    done = subprocess.run(
        [sys.executable, "-m", "alpesctl", "--project-name", "alpes-readme", "--runtime", "local", *words_of(line)],
        cwd=ROOT,
        env={"PATH": os.defpath, "ALPES_STATE_DIR": str(tmp_path), "ALPES_RECORDS_DIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # A port that another stack holds is the machine's trouble, and doctor's to tell: 4.
    assert done.returncode in (0, 3, 4), done.stdout + done.stderr
    assert done.stdout + done.stderr != ""
    assert "Traceback" not in done.stderr


def test_the_readme_must_name_every_command() -> None:
    named = " ".join(re.findall(r"`([^`]+)`", README))
    missing = [name for name in COMMANDS if not re.search(rf"(^|\s){name.split()[-1]}\b", named)]
    assert missing == []


def test_a_command_must_be_a_file_and_a_file_a_command() -> None:
    files = {p.stem for p in (ROOT / "alpesctl" / "commands").glob("*.py")} - {"__init__", "options"}
    assert {module for module, _ in COMMANDS.values()} == files
