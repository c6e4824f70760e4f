"""The words for a container say all that the SDK is told."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import replace
from pathlib import Path

from alpesctl.runtimes.docker import shell
from alpesctl.stack.model import Build, Hardening, HealthCheck, Limits, Mount, Network, Port, Service, Spec, Volume

WEB = Service(
    name="web",
    image="web:1",
    command=("serve", "--say", "it's on"),
    environment={"A": "x y"},
    ports=(Port(80, 8010, 8029), Port(81, 90, 90)),
    mounts=(Mount("volume", "data", "/data"), Mount("bind", "/etc/x", "/x", read_only=True)),
    networks=("back", "front"),
    health=HealthCheck(("curl", "-sf", "http://127.0.0.1/a b"), interval=2.0, timeout=1.0, retries=5, start_period=0.5),
    restart="unless-stopped",
    stop_signal="SIGINT",
    stop_grace=29.5,
    entrypoint=("tini", "--"),
    limits=Limits(memory=512, cpus=1.5, pids=64),
    hardening=Hardening(read_only=True, cap_drop=("ALL",), tmpfs=("/tmp",)),
)
SPEC = Spec("shop", Path("/shop"), (), {"web": WEB}, {"back": Network()}, {"data": Volume()})


def words(service: Service) -> list[str]:
    return shlex.split(shell.create(SPEC, service, 2, digest="d", image_id="sha256:1")[0])


def test_everything_about_a_container_is_in_its_words() -> None:
    found = words(WEB)
    assert found[:6] == ["docker", "create", "--name", "shop-web-2", "--network", "shop_back"]
    assert found[-5:] == ["web:1", "--", "serve", "--say", "it's on"]
    pairs = list(itertools.pairwise(found))
    for pair in [
        ("--env", "A=x y"),
        ("--env", "ALPES_REPLICA=web-2"),
        ("--publish", "127.0.0.1:8010-8029:80"),
        ("--publish", "127.0.0.1:90:81"),
        ("--mount", "type=volume,source=shop_data,target=/data"),
        ("--mount", "type=bind,source=/etc/x,target=/x,readonly"),
        ("--health-cmd", "curl -sf 'http://127.0.0.1/a b'"),
        ("--health-interval", "2000ms"),
        ("--health-start-period", "500ms"),
        ("--restart", "unless-stopped"),
        ("--stop-signal", "SIGINT"),
        ("--stop-timeout", "30"),
        ("--entrypoint", "tini"),
        ("--memory", "512"),
        ("--cpus", "1.5"),
        ("--pids-limit", "64"),
        ("--cap-drop", "ALL"),
        ("--tmpfs", "/tmp"),
        ("--label", "com.docker.compose.service=web"),
        ("--label", "alpesctl.digest=d"),
    ]:
        assert pair in pairs
    assert "--read-only" in found


def test_a_second_network_is_connected_afterwards() -> None:
    assert shell.create(SPEC, WEB, 2, digest="d", image_id="")[1:] == [
        "docker network connect --alias web shop_front shop-web-2"
    ]


def test_an_image_is_pulled_or_built() -> None:
    assert shell.image(WEB) == "docker pull web:1"
    built = replace(WEB, build=Build(Path("/shop"), "images/web.Dockerfile", "last", {"BASE": "x:1"}))
    assert shell.image(built) == (
        "docker build --tag web:1 --file /shop/images/web.Dockerfile --target last --build-arg BASE=x:1 /shop"
    )
