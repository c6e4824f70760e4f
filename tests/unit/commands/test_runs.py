"""`alpesctl runs` must list what was recorded, newest first."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpesctl.cli import application
from alpesctl.experiments.record import new_directory, write
from tests.unit.commands.test_bad_input import nothing_up, pytestmark
from tests.unit.report.test_overview import WHOLE

__all__ = ["nothing_up", "pytestmark"]


@pytest.fixture
def three(tmp_path: Path) -> None:
    for second, name in enumerate(("performance", "availability", "performance")):
        directory = new_directory(tmp_path / "records", name, datetime(2026, 11, 24, 11, 0, second, tzinfo=UTC))
        write(directory, {**WHOLE, "id": directory.name, "name": name})


def listed(*words: str) -> list[str]:
    done = CliRunner().invoke(application(), ["runs", *words, "--json"])
    assert done.exit_code == 0, done.output
    return [each["run"] for each in json.loads(done.stdout)["data"]["runs"]]


def test_where_nothing_is_recorded_it_must_say_how_a_run_is_made() -> None:
    done = CliRunner().invoke(application(), ["runs"])
    assert (done.exit_code, done.stdout) == (0, "Runs: none yet; alpesctl scenario performance\n")


@pytest.mark.usefixtures("three")
def test_the_newest_must_come_first() -> None:
    assert listed() == [
        "20261124T110002Z-performance",
        "20261124T110001Z-availability",
        "20261124T110000Z-performance",
    ]


@pytest.mark.usefixtures("three")
def test_runs_of_one_scenario_must_stand_alone() -> None:
    assert listed("--scenario", "availability") == ["20261124T110001Z-availability"]
    done = CliRunner().invoke(application(), ["runs", "--scenario", "drain"])
    assert (done.exit_code, "runs are there of: availability, performance" in done.stderr) == (2, True)


@pytest.mark.usefixtures("three")
def test_what_is_left_out_must_be_told() -> None:
    assert listed("--last", "1") == ["20261124T110002Z-performance"]
    assert "note: 2 older ones: --last 3" in CliRunner().invoke(application(), ["runs", "--last", "1"]).stderr
    assert "older" not in CliRunner().invoke(application(), ["runs", "--last", "3"]).stderr
    assert CliRunner().invoke(application(), ["runs", "--last", "0"]).exit_code == 2
