"""What the engine tells of containers, as replicas."""

from __future__ import annotations

from typing import Any

import pytest

from alpesctl.runtimes.base import Endpoint, Health, State
from alpesctl.runtimes.docker import observing
from alpesctl.stack.digest import changed, digest
from alpesctl.stack.model import Service

WEB = Service(name="web", image="web:1", command=("serve",), environment={"A": "1", "B": "x=y z"})


def inspected(status: str = "running", **changes: Any) -> dict[str, Any]:
    told = {"Status": status, "ExitCode": 3, "StartedAt": "2026-11-24T13:55:00.123456789Z", "Pid": 77}
    labels = {"com.docker.compose.service": "web", "com.docker.compose.container-number": "2"}
    config = {"Labels": labels, "Env": ["PATH=/bin", "A=1", "B=x=y z"], "Cmd": ["serve"], "Image": "web:1"}
    bindings = {"8010/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8011"}]}
    return {
        "Id": "c1",
        "Image": "sha256:1",
        "State": {**told, **changes.pop("State", {})},
        "Config": {**config, **changes.pop("Config", {})},
        "HostConfig": {"PortBindings": bindings},
        "NetworkSettings": {"Ports": {}},
        **changes,
    }


@pytest.mark.parametrize(
    ("status", "state", "code", "pid"),
    [
        ("created", State.CREATED, None, None),
        ("running", State.RUNNING, None, 77),
        ("paused", State.PAUSED, None, 77),
        ("restarting", State.RESTARTING, None, None),
        ("exited", State.EXITED, 3, None),
        ("dead", State.EXITED, 3, None),
        ("removing", State.EXITED, 3, None),
    ],
)
def test_states(status: str, state: State, code: int | None, pid: int | None) -> None:
    made = observing.replica(inspected(status), digest="d", with_health=True)
    assert (made.name, made.state, made.exit_code, made.pid) == ("web-2", state, code, pid)
    assert made.started_at is not None
    assert made.started_at.isoformat() == "2026-11-24T13:55:00.123456+00:00"


def test_health_counts_only_while_it_runs() -> None:
    sick = {"Health": {"Status": "unhealthy"}}
    assert observing.replica(inspected(State=sick), digest="", with_health=True).health is Health.UNHEALTHY
    assert observing.replica(inspected("paused", State=sick), digest="", with_health=True).health is Health.NONE
    assert observing.replica(inspected(State=sick), digest="", with_health=False).health is Health.NONE


def test_endpoints_are_where_it_is_published_now_or_will_be() -> None:
    assert observing.endpoints(inspected()) == {8010: Endpoint("127.0.0.1", 8011)}
    now = {
        "Ports": {"8010/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8019"}], "9/udp": [{"HostPort": "9"}], "7/tcp": None}
    }
    assert observing.endpoints(inspected(NetworkSettings=now)) == {8010: Endpoint("127.0.0.1", 8019)}
    ranged = {"PortBindings": {"8010/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8010-8029"}]}}
    assert observing.endpoints(inspected(HostConfig=ranged)) == {}


def test_our_own_container_tells_its_digest() -> None:
    ours = inspected(Config={"Labels": {"alpesctl.digest": "image=1"}})
    assert observing.digest(ours, WEB, digest(WEB), "sha256:2") == "image=1"


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({}, ()),
        ({"Image": "sha256:2"}, ("image",)),
        ({"Config": {"Cmd": ["other"]}}, ("command",)),
        ({"Config": {"Env": ["A=2", "B=x=y z"]}}, ("environment.A",)),
        ({"Config": {"Env": ["A=1"]}}, ("environment.B",)),
    ],
)
def test_another_tools_container_differs_only_in_what_can_be_seen_to_differ(
    change: dict[str, Any], parts: tuple[str, ...]
) -> None:
    wanted = digest(WEB)
    there = inspected(**change)
    there["Config"].setdefault("Labels", {})
    assert changed(observing.digest(there, WEB, wanted, "sha256:1"), wanted) == parts


@pytest.mark.parametrize("key", ["total_inactive_file", "inactive_file"])
def test_usage_is_over_the_engines_own_span_and_without_what_can_be_given_back(key: str) -> None:
    stats = {
        "preread": "2026-11-24T13:55:00.5Z",
        "read": "2026-11-24T13:55:02.5Z",
        "precpu_stats": {"cpu_usage": {"total_usage": 1_000_000_000}},
        "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
        "memory_stats": {"usage": 100, "stats": {key: 30}},
    }
    assert observing.usage(stats) == (75.0, 70)
    assert observing.usage({**stats, "preread": "0001-01-01T00:00:00Z"}) == (0.0, 70)
    assert observing.usage({}) == (0.0, 0)


@pytest.mark.parametrize(
    ("networks", "well"),
    [
        ({"shop_back": {"NetworkID": "n1"}}, True),
        ({"shop_back": {"NetworkID": ""}}, True),
        ({"shop_back": {"NetworkID": "n0"}}, False),
        ({}, False),
        ({"shop_back": {"NetworkID": "n1"}, "another": {"NetworkID": "n7"}}, True),
    ],
)
def test_a_container_must_be_on_the_networks_that_there_are(networks: dict[str, Any], well: bool) -> None:
    there = inspected(NetworkSettings={"Networks": networks})
    assert observing.attached(there, ["shop_back"], {"n1", "n2"}) is well


def test_a_container_off_its_networks_is_made_anew_for_that_cause() -> None:
    wanted = digest(WEB)
    assert changed(observing.without_networks(wanted), wanted) == ("networks",)
