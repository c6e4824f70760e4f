"""One frozen snapshot of what is there: replicas and the broker's topics. Reads once, changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alpesctl.errors import AlpesError
from alpesctl.pulsar_admin import PulsarAdmin, of_each
from alpesctl.runtimes.base import Replica, Runtime, State
from alpesctl.stack.model import NAMESPACE, Spec
from alpesctl.stack.retention import Retention


@dataclass(frozen=True)
class Observed:
    """`partitions` holds every declared topic that exists; `retention` what these and the namespace (NAMESPACE)
    have of their own. Both are None while the broker can't be asked, retention also where nobody asked for it."""

    replicas: tuple[Replica, ...]
    partitions: Mapping[str, int] | None = None
    retention: Mapping[str, Retention | None] | None = None

    def of(self, service: str) -> list[Replica]:
        """The service's replicas, by number."""
        return sorted((r for r in self.replicas if r.service == service), key=lambda r: r.number)


def observe(
    runtime: Runtime,
    spec: Spec,
    admin: Callable[[], PulsarAdmin] | None,
    *,
    with_usage: bool = False,
    with_retention: bool = False,
) -> Observed:
    """The snapshot. `admin` gives a client of the broker, and is asked only while the broker runs."""
    replicas = tuple(runtime.replicas(with_usage=with_usage))
    broker = spec.pulsar.service if spec.pulsar else None
    if admin is None or not any(r.service == broker and r.state is State.RUNNING for r in replicas):
        return Observed(replicas)
    try:
        client = admin()
        partitions = _partitions(spec, client)
        names = (NAMESPACE, *partitions) if with_retention else ()
        retention = dict(zip(names, of_each(client.retention, names), strict=True))
    except AlpesError:  # it is on its way up, or ill: the plan awaits it
        return Observed(replicas)
    return Observed(replicas, partitions, retention or None)


def _partitions(spec: Spec, client: PulsarAdmin) -> dict[str, int]:
    names = [topic.name for topic in spec.pulsar.topics] if spec.pulsar else []
    counts = zip(names, of_each(client.partitions, names), strict=True)
    return {name: count for name, count in counts if count is not None}
