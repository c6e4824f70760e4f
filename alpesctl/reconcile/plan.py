"""(desired, observed) → operations in dependency order. Pure; every operation carries its cause in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from alpesctl.errors import StackDownError, UsageError
from alpesctl.reconcile.observed import Observed
from alpesctl.runtimes.base import Health, Replica, State
from alpesctl.stack.model import Service, Spec, Topic

MOST_REPLICAS = 100
MOST_PARTITIONS = 1000


class Action(StrEnum):
    CREATE = "create"
    START = "start"
    STOP = "stop"
    REMOVE = "remove"
    UNPAUSE = "unpause"
    AWAIT_HEALTHY = "await healthy"
    AWAIT_COMPLETED = "await completed"
    REFRESH_ROUTES = "refresh routes"
    GROW_TOPIC = "grow topic"
    AWAIT_CONSUMERS = "await consumers"


@dataclass(frozen=True)
class Operation:
    """One call. `target` is a service or a topic; `number` is a replica's, or how many partitions."""

    action: Action
    target: str
    cause: str
    number: int | None = None

    def __str__(self) -> str:
        subject = self.target
        if self.number is not None:
            subject += f" to {self.number}" if self.action is Action.GROW_TOPIC else f"-{self.number}"
        return f"{self.action} {subject}: {self.cause}" if subject else f"{self.action}: {self.cause}"


@dataclass(frozen=True)
class Desired:
    """`counts` and `digests` are by service; `services` is what is asked for, with what it depends on."""

    spec: Spec
    services: tuple[str, ...]
    counts: Mapping[str, int]
    digests: Mapping[str, str]
    remove_orphans: bool = False


@dataclass(frozen=True)
class Plan:
    operations: tuple[Operation, ...]
    orphans: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        return "\n".join(f"[{index}] {operation}" for index, operation in enumerate(self.operations, 1))


def with_dependencies(spec: Spec, services: Collection[str]) -> tuple[str, ...]:
    """`services` and all they depend on, dependencies first; every service where none is named.

    Raises UsageError for a name that is no service.
    """
    for name in services:
        require_service(spec, name)
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name in ordered:
            return
        for dependency in spec.services[name].depends_on:
            visit(dependency.service)
        ordered.append(name)

    for name in spec.services:
        if not services or name in services:
            visit(name)
    return tuple(ordered)


def require_service(spec: Spec, name: str) -> Service:
    """The service of that name; raises UsageError that names those there are."""
    if name not in spec.services:
        raise UsageError(
            f"there is no service {name!r}",
            why=f"the compose file has: {', '.join(spec.services)}",
            out="correct the name",
        )
    return spec.services[name]


def require_count(name: str, count: int) -> int:
    """A replica count that makes sense; raises UsageError otherwise."""
    if not 1 <= count <= MOST_REPLICAS:
        raise UsageError(
            f"{name}={count}: a service has 1 to {MOST_REPLICAS} replicas",
            out=f"alpesctl scale {name}=3; alpesctl down stops everything",
        )
    return count


def plan_up(desired: Desired, observed: Observed) -> Plan:
    """What makes the stack what it should be; no operation where it is that already."""
    operations: list[Operation] = []
    changed: set[str] = set()
    awaited: set[str] = set()
    for layer in _layers(desired):
        for name in layer:
            for dependency in desired.spec.services[name].depends_on:
                if dependency.condition != "service_started":
                    operations += _await(desired, observed, dependency.service, changed, awaited, dependent=name)
        for name in layer:
            found = _service(desired, observed, name)
            if found:
                changed.add(name)
            operations += found
    if changed and any(r.state is State.RUNNING for r in observed.replicas):
        operations.append(Operation(Action.REFRESH_ROUTES, "", "replicas changed"))
    for name in desired.services:
        operations += _await(desired, observed, name, changed, awaited, dependent="")
    operations += _topics(desired.spec, observed)
    orphans = tuple(r.name for r in observed.replicas if r.service not in desired.spec.services)
    if desired.remove_orphans:
        for replica in observed.replicas:
            if replica.service not in desired.spec.services:
                operations += _down(replica, "its service is no longer in the compose file")
    notes = () if desired.remove_orphans else tuple(f"{name}: no longer in the compose file" for name in orphans)
    return Plan(tuple(operations), orphans, notes)


def plan_down(spec: Spec, observed: Observed) -> Plan:
    """Stops and removes every replica, what depends on others first."""
    order = {name: index for index, name in enumerate(with_dependencies(spec, ()))}
    replicas = sorted(
        observed.replicas, key=lambda r: (order.get(r.service, len(order)), r.service, r.number), reverse=True
    )
    return Plan(tuple(operation for r in replicas for operation in _down(r, "the stack goes down")))


def plan_partitions(spec: Spec, observed: Observed, topic: Topic, partitions: int) -> Plan:
    """Grow a topic, then roll its producers and consumers, so that all of them see every partition.

    Raises UsageError where that would shrink it, or the topic isn't partitioned.
    """
    if not 1 <= partitions <= MOST_PARTITIONS:
        raise UsageError(f"{partitions} partitions: a topic has 1 to {MOST_PARTITIONS}")
    if observed.partitions is None:
        raise StackDownError(
            "the broker can't be asked for its topics", why="it is not up, or not ready", out="alpesctl up"
        )
    present = observed.partitions.get(topic.name)
    if present is None:
        raise UsageError(f"there is no topic {topic.name}", out="alpesctl up creates the declared topics")
    if present == 0:
        raise UsageError(
            f"{topic.name} is not partitioned",
            why="Pulsar can't turn such a topic into a partitioned one",
            out="delete it and run alpesctl up, which creates it with one partition",
        )
    if partitions < present:
        raise UsageError(
            f"{topic.name} has {present} partitions, and can't go down to {partitions}",
            why="Pulsar never removes partitions: their messages would be lost",
            out="keep them; idle partitions cost little",
        )
    operations: list[Operation] = []
    if partitions > present:
        cause = f"it has {present}"
        operations.append(Operation(Action.GROW_TOPIC, topic.name, cause, partitions))
        roll = "a running client sees new partitions only after 60 s"
        for name in (topic.consumers, topic.producers):
            for replica in observed.of(name) if name else ():
                if replica.state is State.RUNNING:
                    operations += [
                        Operation(Action.STOP, name, roll, replica.number),
                        Operation(Action.START, name, roll, replica.number),
                        Operation(Action.AWAIT_HEALTHY, name, "before the next one is rolled", replica.number),
                    ]
    if topic.consumers and observed.of(topic.consumers):
        cause = f"{topic.subscription} must have a consumer on every partition"
        operations.append(Operation(Action.AWAIT_CONSUMERS, topic.name, cause))
    return Plan(tuple(operations))


def _layers(desired: Desired) -> list[list[str]]:
    """Services by how many steps of dependencies lie below them, in the file's order within a layer."""
    depth: dict[str, int] = {}
    for name in desired.services:
        below = [depth[d.service] for d in desired.spec.services[name].depends_on]
        depth[name] = 1 + max(below, default=-1)
    return [[n for n in desired.services if depth[n] == level] for level in range(max(depth.values(), default=-1) + 1)]


def _service(desired: Desired, observed: Observed, name: str) -> list[Operation]:
    wanted = desired.counts.get(name, desired.spec.services[name].replicas)
    present = {replica.number: replica for replica in observed.of(name)}
    operations: list[Operation] = []
    surplus = [replica for number, replica in sorted(present.items(), reverse=True) if number > wanted]
    for replica in surplus:
        operations += _down(replica, f"{wanted} wanted, {len(present)} there")
    for number in range(1, wanted + 1):
        operations += _replica(desired, name, number, present.get(number))
    return operations


def _replica(desired: Desired, name: str, number: int, replica: Replica | None) -> list[Operation]:
    one_shot = desired.spec.services[name].one_shot
    if replica is None:
        return [
            Operation(Action.CREATE, name, "there is none", number),
            Operation(Action.START, name, "just created", number),
        ]
    if replica.digest != desired.digests[name]:
        cause = "its configuration changed"
        return [
            *_down(replica, cause),
            Operation(Action.CREATE, name, cause, number),
            Operation(Action.START, name, cause, number),
        ]
    if replica.state is State.PAUSED:
        return [Operation(Action.UNPAUSE, name, "it is paused", number)]
    if replica.state is State.CREATED:
        return [Operation(Action.START, name, "it was never started", number)]
    if replica.state is State.EXITED and not (one_shot and replica.exit_code == 0):
        return [Operation(Action.START, name, f"it is stopped (exit code {replica.exit_code})", number)]
    return []


def _down(replica: Replica, cause: str) -> list[Operation]:
    running = replica.state in (State.RUNNING, State.PAUSED, State.RESTARTING)
    stop = [Operation(Action.STOP, replica.service, cause, replica.number)] if running else []
    return [*stop, Operation(Action.REMOVE, replica.service, cause, replica.number)]


def _await(
    desired: Desired,
    observed: Observed,
    name: str,
    changed: Collection[str],
    awaited: set[str],
    *,
    dependent: str,
) -> Iterable[Operation]:
    if name in awaited:
        return
    service = desired.spec.services[name]
    if desired.counts.get(name, service.replicas) == 0:
        return
    cause = f"{dependent} depends on it" if dependent else "up ends when all is healthy"
    replicas = observed.of(name)
    if service.one_shot:
        if name in changed or any(r.state is not State.EXITED for r in replicas):
            awaited.add(name)
            yield Operation(Action.AWAIT_COMPLETED, name, cause, 1)
    elif service.health and (name in changed or any(r.health is not Health.HEALTHY for r in replicas)):
        awaited.add(name)
        yield Operation(Action.AWAIT_HEALTHY, name, cause)


def _topics(spec: Spec, observed: Observed) -> Iterable[Operation]:
    if observed.partitions is None or spec.pulsar is None:
        return
    for topic in spec.pulsar.topics:
        if 0 < observed.partitions.get(topic.name, 0) < topic.partitions:
            yield from plan_partitions(spec, observed, topic, topic.partitions).operations
