"""`alpesctl status` must show what is there, and what `up` would change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpesctl.cli import application
from tests.unit.commands.replicas_fake import created, running
from tests.unit.commands.test_bad_input import nothing_up, pytestmark

__all__ = ["nothing_up", "pytestmark"]


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One replica that runs, and one that was never started."""
    created(tmp_path, "tracking", 1, p8010=18010)
    created(tmp_path, "tracking_worker", 1, p9010=19010)
    running(monkeypatch, "tracking-1")


def test_where_nothing_is_up_it_must_say_so() -> None:
    done = CliRunner().invoke(application(), ["status"])
    assert (done.exit_code, done.stdout) == (0, "Replicas: nothing is up\n")


@pytest.mark.usefixtures("two")
def test_each_replica_must_stand_there_with_state_address_and_usage() -> None:
    document = json.loads(CliRunner().invoke(application(), ["status", "--json"]).stdout)
    shown = {each["name"]: (each["state"], each["endpoints"]) for each in document["data"]["replicas"]}
    assert shown == {
        "tracking-1": ("running", {"8010": "127.0.0.1:18010"}),
        "tracking_worker-1": ("created", {"9010": "127.0.0.1:19010"}),
    }
    used = [(each["cpu_percent"] is None, each["memory_bytes"] is None) for each in document["data"]["replicas"]]
    assert used == [(False, False), (True, True)]
    assert document["data"]["runtime"] == "local"


@pytest.mark.usefixtures("two")
def test_what_up_would_change_must_be_told_in_a_line() -> None:
    done = CliRunner().invoke(application(), ["status"])
    planned = json.loads(CliRunner().invoke(application(), ["plan", "--json"]).stdout)["data"]["operations"]
    assert f"note: plan: {len(planned)} changes, see alpesctl plan" in done.stderr


@pytest.mark.usefixtures("two")
def test_without_a_broker_the_rest_must_be_shown_and_the_topics_called_unknown() -> None:
    done = CliRunner().invoke(application(), ["status"])
    assert (done.exit_code, "tracking-1" in done.stdout) == (0, True)
    assert "note: topics are unknown: pulsar is not up" in done.stderr


@pytest.mark.usefixtures("two")
def test_a_service_that_is_named_must_be_shown_alone() -> None:
    data = json.loads(CliRunner().invoke(application(), ["status", "tracking_worker", "--json"]).stdout)["data"]
    assert [each["name"] for each in data["replicas"]] == ["tracking_worker-1"]
    done = CliRunner().invoke(application(), ["status", "nope"])
    assert (done.exit_code, "there is no service 'nope'" in done.stderr) == (2, True)
