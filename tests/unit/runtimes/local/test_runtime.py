from __future__ import annotations

from pathlib import Path

import pytest

from alpesctl.errors import ComposeError
from alpesctl.runtimes.local.runtime import LocalRuntime
from alpesctl.runtimes.local.state import ReplicaRecord
from alpesctl.stack.digest import changed
from alpesctl.stack.model import Mount, Port, Pulsar, Service, Spec


class FakeSupervisor:
    """Takes programs, and runs none."""

    def __init__(self) -> None:
        self.added: list[ReplicaRecord] = []

    def ensure(self) -> None:
        pass

    def running(self) -> bool:
        return True

    def add(self, record: ReplicaRecord, folder: Path) -> None:
        self.added.append(record)


@pytest.mark.parametrize(("written", "sent"), [("", "SIGTERM"), ("SIGQUIT", "SIGQUIT")])
def test_where_there_is_no_image_a_stop_is_sigterm_unless_written(tmp_path: Path, written: str, sent: str) -> None:
    web = Service("web", "", ("serve",), {}, stop_signal=written)
    runtime = LocalRuntime(Spec("p", tmp_path, (), {"web": web}), state_dir=tmp_path, cache_dir=tmp_path)
    supervisor = FakeSupervisor()
    runtime._supervisor = supervisor  # type: ignore[assignment]
    runtime.create(web, 1)
    assert [record.stop_signal for record in supervisor.added] == [sent]


def test_a_broker_that_is_to_listen_elsewhere_must_be_made_anew_and_nothing_else(tmp_path: Path) -> None:
    services = {name: Service(name, "", ("serve",), {}) for name in ("bus", "till")}

    def digests(broker_port: int) -> list[str]:
        spec = Spec("p", tmp_path, (), services, pulsar=Pulsar("bus", broker_port, 8080, "public/default"))
        runtime = LocalRuntime(spec, state_dir=tmp_path, cache_dir=tmp_path)
        return [runtime.digest(service) for service in services.values()]

    bus, till = digests(6650)
    elsewhere, same = digests(7650)
    assert (changed(bus, elsewhere), same) == (("addresses",), till)


@pytest.mark.parametrize(
    ("service", "what"),
    [
        (Service("db", "", (), {}, recipe="postgres", mounts=(Mount("volume", "v", "/v"),)), "no volume holds"),
        (Service("bus", "", (), {}, recipe="pulsar", mounts=(Mount("volume", "v", "/v"),)), "no volume holds"),
        (Service("web", "web", (), {}), "no command"),
        (Service("web", "web", ("serve",), {}, ports=(Port(80, 8000, 8000),)), "publishes a port"),
        (Service("web", "web", ("serve",), {}, recipe="apache"), "no recipe"),
    ],
)
def test_a_service_that_can_not_be_run_must_be_refused_before_anything_changes(
    tmp_path: Path, service: Service, what: str
) -> None:
    spec = Spec("p", tmp_path, (), {service.name: service})
    runtime = LocalRuntime(spec, state_dir=tmp_path / "state", cache_dir=tmp_path / "cache")
    runtime._supervisor = FakeSupervisor()  # type: ignore[assignment]
    with pytest.raises(ComposeError, match=what):
        runtime.prepare(spec)
    assert list(tmp_path.iterdir()) == []
