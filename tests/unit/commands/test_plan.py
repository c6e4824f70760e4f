"""`alpesctl plan` must say what `up` would do, and do nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpesctl.cli import application
from tests.unit.commands.test_bad_input import nothing_up, pytestmark

__all__ = ["nothing_up", "pytestmark"]


def test_a_check_must_end_with_1_where_something_would_change() -> None:
    plain = CliRunner().invoke(application(), ["plan"])
    checked = CliRunner().invoke(application(), ["plan", "--check"])
    assert (plain.exit_code, checked.exit_code) == (0, 1)
    assert checked.stdout == plain.stdout


def test_a_service_must_be_planned_with_what_it_depends_on_and_no_more() -> None:
    data = json.loads(CliRunner().invoke(application(), ["plan", "tracking_db", "--json"]).stdout)["data"]
    assert data["operations"] == [
        "create tracking_db-1: there is none",
        "start tracking_db-1: just created",
        "await healthy tracking_db: up ends when all is healthy",
    ]
    assert data["changes"] == 2


@pytest.mark.parametrize("words", ["plan", "plan --check", "plan --as-shell", "plan --remove-orphans --json"])
def test_a_plan_must_leave_no_trace(tmp_path: Path, words: str) -> None:
    CliRunner().invoke(application(), ["--runtime", "local", *words.split()])
    assert list(tmp_path.iterdir()) == []
