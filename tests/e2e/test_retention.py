"""`alpesctl retention` must set what Pulsar's own tool shows, and `up` must hold to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.tools import tool

TOPIC = "commands.tracking"


@pytest.fixture
def as_found(stack: Stack) -> Iterator[Stack]:
    """Afterwards nothing of it is set, and nothing wished for."""
    yield stack
    stack.ok("retention", "set", "--inherit")
    stack.ok("retention", "set", "--topic", TOPIC, "--inherit")


def test_what_is_set_must_be_what_pulsar_admin_shows(as_found: Stack) -> None:
    done = as_found.ok("retention", "set", "--size", "20G", "--time", "90s")
    assert "none of its own → size 20G, time 2m" in done.stdout
    assert "90s is rounded up to 2m" in done.stderr
    as_found.ok("retention", "set", "--topic", TOPIC, "--size", "-1", "--time", "7d")
    namespace = tool(as_found, "pulsar-admin", "namespaces", "get-retention", "public/default")
    assert re.search(r'"retentionTimeInMinutes"\s*:\s*2\b', namespace)
    assert re.search(r'"retentionSizeInMB"\s*:\s*20480\b', namespace)
    topic = tool(as_found, "pulsar-admin", "topics", "get-retention", TOPIC)
    assert re.search(r'"retentionTimeInMinutes"\s*:\s*10080\b', topic)
    assert re.search(r'"retentionSizeInMB"\s*:\s*-1\b', topic)
    shown = as_found.ok("retention", "show", "--json").data
    found = {entry["name"]: (entry["size"], entry["time"], entry["from"]) for entry in shown["topics"]}
    assert found.pop(TOPIC) == ("unlimited", "7d", "its own")
    assert f"{TOPIC}-DLQ" in found
    assert set(found.values()) == {("20G", "2m", "the namespace")}


def test_a_retention_below_the_backlog_quota_must_be_refused_with_pulsars_rule(as_found: Stack) -> None:
    done = as_found.run("retention", "set", "--size", "100M", "--time", "7d")
    assert done.exit_code == 2
    assert "retention must exceed the backlog quota" in done.stderr
    assert as_found.ok("retention", "show", "--json").data["namespace"]["from"] == "the broker's default"


def test_a_retention_changed_by_another_hand_must_be_set_again_by_up(as_found: Stack) -> None:
    as_found.ok("retention", "set", "--size", "-1", "--time", "7d")
    admin = as_found.project().admin()
    admin.set_retention(None)
    operation = "set retention of the namespace to size unlimited, time 7d: it was wished for, it has none of its own"
    assert as_found.ok("plan", "--json").data["operations"] == [operation]
    assert as_found.run("plan", "--check").exit_code == 1
    assert as_found.ok("up", "--json").data["operations"] == [operation]
    assert as_found.ok("retention", "show", "--json").data["namespace"]["time"] == "7d"
