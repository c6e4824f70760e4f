"""`alpesctl report` must write a page beside each record that was asked for, and say where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpesctl.cli import application
from tests.unit.commands.test_bad_input import nothing_up, pytestmark
from tests.unit.report.test_html import made

__all__ = ["nothing_up", "pytestmark"]


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two runs that lost nothing and one that did; the newest first."""
    runs = [made(tmp_path / "records", lost)[0] for lost in (frozenset[int](), frozenset[int](), frozenset({5}))]
    return [run.directory for run in reversed(runs)]


def pages(folders: list[Path]) -> list[bool]:
    return [(folder / "report.html").exists() for folder in folders]


def test_unless_named_it_must_be_the_newest(folders: list[Path]) -> None:
    data = json.loads(CliRunner().invoke(application(), ["report", "--json"]).stdout)["data"]
    assert data["reports"] == [
        {"run": folders[0].name, "outcome": "failed", "path": str(folders[0] / "report.html")},
    ]
    assert pages(folders) == [True, False, False]
    assert "Failed: 1 lost" in (folders[0] / "report.html").read_text()


def test_the_last_two_must_have_a_page_each(folders: list[Path]) -> None:
    done = CliRunner().invoke(application(), ["report", "--last", "2"])
    assert done.stdout.splitlines() == [
        f"failed: {folders[0] / 'report.html'}",
        f"passed: {folders[1] / 'report.html'}",
    ]
    assert pages(folders) == [True, True, False]


def test_a_run_that_is_named_must_be_the_one(folders: list[Path]) -> None:
    done = CliRunner().invoke(application(), ["report", folders[1].name])
    assert done.stdout == f"passed: {folders[1] / 'report.html'}\n"
    assert pages(folders) == [False, True, False]


def test_where_nothing_is_recorded_it_must_say_how_a_run_is_made() -> None:
    done = CliRunner().invoke(application(), ["report"])
    assert (done.exit_code, "alpesctl scenario performance makes one" in done.stderr) == (2, True)
