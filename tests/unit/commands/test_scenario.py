"""`alpesctl scenario list` must tell of the files that can be used, and name the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alpesctl.cli import application
from tests.unit.commands.test_bad_input import ROOT, nothing_up, pytestmark

__all__ = ["nothing_up", "pytestmark"]


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: web}}")
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    return tmp_path / "scenarios"


def listed(scenarios: Path, *words: str) -> Result:
    return CliRunner().invoke(
        application(), ["--file", str(scenarios.parent / "compose.yaml"), "scenario", "list", *words]
    )


def test_scenarios_must_be_listed_with_their_faults(scenarios: Path) -> None:
    done = listed(scenarios, "--json")
    data = json.loads(done.stdout)["data"]
    assert (done.exit_code, data["broken"]) == (0, [])
    performance = next(each for each in data["scenarios"] if each["name"] == "performance")
    (fault,) = performance["faults"]
    assert fault["at"] > 0
    assert fault["steps"][-1]["action"] == "kill"


@pytest.mark.parametrize("bad", [b"name = 1", b"name =", b"\xff"])
def test_a_file_that_cannot_be_used_must_be_named_and_the_others_listed(scenarios: Path, bad: bytes) -> None:
    whole = json.loads(listed(scenarios, "--json").stdout)["data"]["scenarios"]
    (scenarios / "bad.toml").write_bytes(bad)
    done = listed(scenarios)
    assert (done.exit_code, "performance" in done.stdout) == (2, True)
    assert f"can't be used: {scenarios / 'bad.toml'}" in " ".join(done.stderr.split())
    document = json.loads(listed(scenarios, "--json").stdout)
    assert document["data"]["scenarios"] == whole
    assert [(each["file"], bool(each["why"])) for each in document["data"]["broken"]] == [
        (str(scenarios / "bad.toml"), True)
    ]
    assert (document["ok"], document["exit_code"]) == (False, 2)
