"""--dry-run prints what would be done and touches nothing at all: no wish, no lock, no folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpesctl.cli import COMMANDS, application
from alpesctl.settings import settings
from tests.unit.commands.test_bad_input import nothing_up, pytestmark

__all__ = ["nothing_up", "pytestmark"]
CHANGING = {"up", "down", "scale", "partition set", "retention set", "images pull", "images build"}


def every_file(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize(
    ("words", "exit_code", "shown"),
    [
        ("up --dry-run", 0, "[1] create pulsar-1: there is none"),
        ("up tracking_db --dry-run --remove-orphans", 0, "[1] create tracking_db-1"),
        ("up --stand-ins --dry-run", 0, "create pulsar-1"),
        ("down --dry-run", 0, "nothing runs"),
        ("down --volumes --dry-run", 0, "nothing runs"),
        ("scale tracking=5 --dry-run", 0, "create tracking-5: there is none"),
        ("plan --as-shell", 0, "supervisorctl"),
        ("partition set commands.tracking=6 --dry-run", 3, "alpesctl up"),
        ("retention set --size -1 --time -1 --dry-run", 3, "alpesctl up"),
    ],
)
def test_a_dry_run_must_touch_nothing(tmp_path: Path, words: str, exit_code: int, shown: str) -> None:
    before = every_file(tmp_path)
    done = CliRunner().invoke(application(), ["--runtime", "local", *words.split()])
    assert (done.exit_code, shown in done.output) == (exit_code, True), done.output
    assert every_file(tmp_path) == before
    assert settings().state_dir == tmp_path / "state"


def test_every_changing_command_must_have_a_dry_run() -> None:
    for name in sorted(CHANGING):
        done = CliRunner().invoke(application(), [*name.split(), "--help"])
        assert "--dry-run" in done.output, name
    assert set(COMMANDS) >= CHANGING
