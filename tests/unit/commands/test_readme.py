"""Every alpesctl line of the README must be a command that exists, with options that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from alpesctl.cli import COMMANDS, app

ROOT = Path(__file__).resolve().parents[3]
README = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(), flags=re.DOTALL)
LINES = sorted({m.group(1) for m in re.finditer(r"`alpesctl ([^`]+)`", README)})


def words_of(line: str) -> list[str]:
    plain = re.sub(r"\[[^\]]*\]", "", line)
    return shlex.split(plain)


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_readme_must_parse(line: str) -> None:
    command: object = typer.main.get_command(app)
    words = words_of(line)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"{line}: no such command"
    context = command.make_context("alpesctl", words, resilient_parsing=False)  # type: ignore[attr-defined]
    context.close()


def test_the_readme_must_name_every_command() -> None:
    named = " ".join(re.findall(r"`([^`]+)`", README))
    missing = [name for name in COMMANDS if not re.search(rf"(^|\s){name.split()[-1]}\b", named)]
    assert missing == []


def test_a_command_must_be_a_file_and_a_file_a_command() -> None:
    files = {p.stem for p in (ROOT / "alpesctl" / "commands").glob("*.py")} - {"__init__", "options"}
    assert {module for module, _ in COMMANDS.values()} == files
