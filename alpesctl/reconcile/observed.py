"""One frozen snapshot of what is there: replicas and the broker's topics. Reads once, changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alpesctl.errors import AlpesError
from alpesctl.pulsar_admin import PulsarAdmin
from alpesctl.runtimes.base import Replica, Runtime, State
from alpesctl.stack.model import Spec


@dataclass(frozen=True)
class Observed:
    """`partitions` holds every declared topic that exists; it is None while the broker can't be asked."""

    replicas: tuple[Replica, ...]
    partitions: Mapping[str, int] | None = None

    def of(self, service: str) -> list[Replica]:
        """The service's replicas, by number."""
        return sorted((r for r in self.replicas if r.service == service), key=lambda r: r.number)


def observe(
    runtime: Runtime, spec: Spec, admin: Callable[[], PulsarAdmin] | None, *, with_usage: bool = False
) -> Observed:
    """The snapshot. `admin` gives a client of the broker, and is asked only while the broker runs."""
    replicas = tuple(runtime.replicas(with_usage=with_usage))
    broker = spec.pulsar.service if spec.pulsar else None
    running = any(r.service == broker and r.state is State.RUNNING for r in replicas)
    return Observed(replicas, _partitions(spec, admin) if running else None)


def _partitions(spec: Spec, admin: Callable[[], PulsarAdmin] | None) -> dict[str, int] | None:
    if spec.pulsar is None or admin is None:
        return None
    found = {}
    try:
        client = admin()
        for topic in spec.pulsar.topics:
            count = client.partitions(topic.name)
            if count is not None:
                found[topic.name] = count
    except AlpesError:
        return None
    return found
