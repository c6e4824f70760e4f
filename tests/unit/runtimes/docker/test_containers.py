"""What the engine is asked to create, from what the compose file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from alpesctl.runtimes.docker import containers
from alpesctl.stack.model import Hardening, HealthCheck, Limits, Mount, Service, Spec


def service(**changes: object) -> Service:
    return Service(**{"name": "web", "image": "web:1", "command": (), "environment": {}, **changes})  # type: ignore[arg-type]


def spec(each: Service) -> Spec:
    return Spec("shop", Path("/srv"), (), {each.name: each})


def configuration(each: Service) -> dict[str, object]:
    return containers.configuration(spec(each), each, 1, host_ports={}, digest="d", image_id="i")


def host(each: Service) -> dict[str, object]:
    return containers.host(spec(each), each, host_ports={8010: ("127.0.0.1", 8011)}, network="shop_backend")


def test_the_images_own_command_and_entry_point_stay_unless_replaced() -> None:
    assert {"command", "entrypoint", "user", "working_dir", "healthcheck"}.isdisjoint(configuration(service()))
    given = configuration(service(command=("a", "b"), entrypoint=("c",), user="7", working_dir="/w"))
    assert (given["command"], given["entrypoint"]) == (["a", "b"], ["c"])
    assert (given["user"], given["working_dir"]) == ("7", "/w")


def test_a_replica_must_be_told_its_own_name() -> None:
    told = {"ALPES_REPLICA": "web-1"}
    assert configuration(service())["environment"] == told
    assert configuration(service(environment={"A": "1"}))["environment"] == {**told, "A": "1"}


def test_an_entry_point_can_be_cleared() -> None:
    assert configuration(service(entrypoint=()))["entrypoint"] == [""]


def test_a_health_check_is_in_nanoseconds_and_without_a_start_interval() -> None:
    check = HealthCheck(("probe", "x"), interval=2.0, timeout=0.5, retries=4, start_period=60.0)
    assert configuration(service(health=check))["healthcheck"] == {
        "Test": ["CMD", "probe", "x"],
        "Interval": 2_000_000_000,
        "Timeout": 500_000_000,
        "Retries": 4,
        "StartPeriod": 60_000_000_000,
    }


def test_the_grace_must_hold_for_whoever_stops_the_container() -> None:
    assert configuration(service())["stop_timeout"] == 10
    assert configuration(service(stop_grace=29.5))["stop_timeout"] == 30


def test_the_images_own_stop_signal_stays_unless_replaced() -> None:
    assert "stop_signal" not in configuration(service())
    assert configuration(service(stop_signal="SIGQUIT"))["stop_signal"] == "SIGQUIT"


def test_the_images_own_check_must_be_switched_off_only_when_asked() -> None:
    assert "healthcheck" not in configuration(service())
    assert configuration(service(health_disabled=True))["healthcheck"]["Test"] == ["NONE"]  # type: ignore[index]


def test_hardening_and_limits_arrive() -> None:
    hardened = Hardening(True, ("NET_BIND_SERVICE",), ("ALL",), ("no-new-privileges:true",), ("/tmp", "/run:size=1m"))
    given = host(service(hardening=hardened, limits=Limits(512 * 2**20, 1.5, 128), init=True))
    assert given["read_only"] is True
    assert given["cap_add"] == ["NET_BIND_SERVICE"]
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert given["tmpfs"] == {"/tmp": "", "/run": "size=1m"}
    assert (given["mem_limit"], given["nano_cpus"], given["pids_limit"]) == (536_870_912, 1_500_000_000, 128)
    assert given["init"] is True


def test_volumes_are_the_projects_and_binds_are_paths() -> None:
    mounts = (Mount("volume", "data", "/d"), Mount("bind", "/srv/x.conf", "/x", True))
    given = host(service(mounts=mounts))["mounts"]
    assert [(m["Type"], m["Source"], m["Target"], m["ReadOnly"]) for m in given] == [  # type: ignore[attr-defined]
        ("volume", "shop_data", "/d", False),
        ("bind", "/srv/x.conf", "/x", True),
    ]


@pytest.mark.parametrize(
    ("restart", "policy"),
    [
        ("no", {"Name": "no", "MaximumRetryCount": 0}),
        ("unless-stopped", {"Name": "unless-stopped", "MaximumRetryCount": 0}),
        ("on-failure:3", {"Name": "on-failure", "MaximumRetryCount": 3}),
    ],
)
def test_restart_policies(restart: str, policy: dict[str, object]) -> None:
    assert host(service(restart=restart))["restart_policy"] == policy
