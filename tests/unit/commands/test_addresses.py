"""`alpesctl addresses` must name what answers on this machine, and only that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpesctl.cli import application
from tests.unit.commands.replicas_fake import created, running
from tests.unit.commands.test_bad_input import nothing_up, pytestmark

__all__ = ["nothing_up", "pytestmark"]


def test_what_is_up_must_be_named_where_it_answers_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    created(tmp_path, "tracking", 1, p8010=18010)
    created(tmp_path, "tracking_db", 1, p5432=15442)
    created(tmp_path, "affiliates", 1, p8000=18000)
    running(monkeypatch, "tracking-1", "tracking_db-1")
    document = json.loads(CliRunner().invoke(application(), ["addresses", "--json"]).stdout)
    assert {each["title"]: each["url"] for each in document["data"]["addresses"]} == {
        "Daily statistics": "http://127.0.0.1:18010/tracking/stats/daily",
        "Tracking's database": "postgresql://app:app@127.0.0.1:15442/app",
    }
    assert document["notes"] == ["alpesctl down stops the stack and keeps its data"]


def test_a_port_that_a_replica_lacks_must_be_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    created(tmp_path, "tracking", 1, p8010=18010)
    created(tmp_path, "pulsar", 1, p6651=16651)
    running(monkeypatch, "tracking-1", "pulsar-1")
    found = json.loads(CliRunner().invoke(application(), ["addresses", "--json"]).stdout)["data"]["addresses"]
    assert [each["title"] for each in found] == ["Daily statistics", "Pulsar, for clients"]


def test_what_was_created_and_does_not_run_must_not_be_named(tmp_path: Path) -> None:
    created(tmp_path, "tracking", 1, p8010=18010)
    done = CliRunner().invoke(application(), ["addresses"])
    assert (done.exit_code, "nothing of the stack is up" in done.stderr) == (3, True)
