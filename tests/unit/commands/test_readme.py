"""Every alpesctl line of the README must be a command, with options, that exists; what changes nothing is run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from alpesctl.cli import COMMANDS, application, arranged
from tests.unit.commands.test_dry_run import CHANGING

ROOT = Path(__file__).resolve().parents[3]
WHOLE = (ROOT / "README.md").read_text()
TYPED = re.findall(r"^\$ (?:\.venv/bin/)?alpesctl ([^#\n]*)", WHOLE, flags=re.MULTILINE)
IN_TEXT = re.findall(r"`alpesctl ([^`]+)`", re.sub(r"```.*?```", "", WHOLE, flags=re.DOTALL))
LINES = sorted({line.strip() for line in (*TYPED, *IN_TEXT)})
# What changes nothing, with how it may end where no stack is up and no run is recorded: 3 says that something must be
# up, 4 what the machine lacks: an engine, or a port that another stack holds.
SAFE = {
    "addresses": {3},
    "doctor": {0, 3, 4},
    "images list": {0, 4},
    "logs": {3},
    "partition show": {3},
    "plan": {0},
    "report": {2},
    "retention show": {3},
    "runs": {0},
    "scenario list": {0},
    "stats": {3},
    "status": {0},
}
COMMAND_LINE: Any = typer.main.get_command(application())
OF_ALL = {name for option in COMMAND_LINE.params for name in option.opts}


def words_of(line: str) -> list[str]:
    """The words behind `alpesctl`, those in […] too, without what the shell does with its output."""
    words = shlex.split(re.sub(r"[\[\]]", "", line.replace("\\|", "|")))
    return words[: words.index("|")] if "|" in words else words


def taken_apart(line: str) -> tuple[str, list[str]]:
    """The command's whole name, "" where there is none, and the words behind it."""
    words, command, path = arranged(words_of(line)), COMMAND_LINE, []
    while words and words[0] in OF_ALL:
        words = words[2:]
    while words and words[0] in getattr(command, "commands", ()):
        path.append(words.pop(0))
        command = command.commands[path[-1]]
    name = " ".join(path)
    return (name if name in COMMANDS else ""), words


def test_the_words_of_a_line_must_be_those_that_are_typed() -> None:
    assert words_of("down [--volumes]") == ["down", "--volumes"]
    assert words_of(r"logs web \| grep -c /x") == ["logs", "web"]
    assert taken_apart("up --env-file e [SERVICE…]") == ("up", ["SERVICE…"])
    assert taken_apart("partition show -x topic") == ("partition show", ["-x", "topic"])
    assert taken_apart("partition")[0] == taken_apart("show")[0] == ""


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_readme_must_parse(line: str) -> None:
    name, words = taken_apart(line)
    assert name, f"{line}: no such command"
    command = COMMAND_LINE
    for word in name.split():
        command = command.commands[word]
    command.make_context("alpesctl", words, resilient_parsing=False).close()


def ways_to_try() -> list[tuple[str, set[int]]]:
    """The lines that change nothing, or can be told to, without those that have a placeholder; how each may end."""
    found = []
    for line in LINES:
        name, _ = taken_apart(line)
        if name in SAFE:
            found.append((line, SAFE[name]))
        elif name in CHANGING and "…" not in line:
            found.append((f"{line} --dry-run", {0, 4} if name.startswith("images") else {0, 3}))
    return found


@pytest.mark.parametrize(("line", "endings"), ways_to_try())
def test_a_command_of_the_readme_that_changes_nothing_must_end_in_words(
    line: str, endings: set[int], tmp_path: Path
) -> None:
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
    assert done.returncode in endings, done.stdout + done.stderr
    assert done.stdout + done.stderr != ""
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_readme_must_name_every_command_in_full() -> None:
    assert set(COMMANDS) - {taken_apart(line)[0] for line in LINES} == set()


def test_each_command_that_is_safe_must_be_tried() -> None:
    assert set(SAFE) | CHANGING == {taken_apart(line)[0] for line, _ in ways_to_try()}


def subjects(folder: str) -> set[str]:
    return {path.stem.removeprefix("test_") for path in (ROOT / "tests" / folder).glob("test_*.py")}


def test_a_command_must_be_a_file_with_tests_of_its_name() -> None:
    files = {path.stem for path in (ROOT / "alpesctl" / "commands").glob("*.py")} - {"__init__", "options"}
    of_all = {"bad_input", "dry_run", "readme", "reference"}
    tests = (subjects("unit/commands") - of_all) | (subjects("e2e") & files)
    assert {module for module, _ in COMMANDS.values()} == files == tests
