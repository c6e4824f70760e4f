"""(desired, observed) → operations in dependency order. Pure; every operation carries its cause in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from alpesctl.errors import StackDownError, UsageError
from alpesctl.reconcile.drift import drift
from alpesctl.reconcile.observed import Observed
from alpesctl.runtimes.base import Health, Replica, State
from alpesctl.stack import digest
from alpesctl.stack.model import Service, Spec, Topic
from alpesctl.stack.retention import Retention

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
    SET_RETENTION = "set retention of"
    AWAIT_CONSUMERS = "await consumers"


AWAITS = (Action.AWAIT_HEALTHY, Action.AWAIT_COMPLETED, Action.AWAIT_CONSUMERS)


@dataclass(frozen=True)
class Operation:
    """One call. `target` is a service or a topic, "" for the namespace; `number` is a replica's, or how many
    partitions. `retention` None: it has none of its own any more."""

    action: Action
    target: str
    cause: str
    number: int | None = None
    retention: Retention | None = None

    def __str__(self) -> str:
        subject = self.target
        if self.action is Action.SET_RETENTION:
            subject = f"{self.target or 'the namespace'} to {self.retention or 'none of its own'}"
        elif self.number is not None:
            subject += f" to {self.number}" if self.action is Action.GROW_TOPIC else f"-{self.number}"
        return f"{self.action} {subject}: {self.cause}" if subject else f"{self.action}: {self.cause}"


@dataclass(frozen=True)
class Desired:
    """`counts` and `digests` are by service; `services` is what is asked for, with what it depends on.
    `partitions` and `retention` are what was wished for, by topic (NAMESPACE: the namespace)."""

    spec: Spec
    services: tuple[str, ...]
    counts: Mapping[str, int]
    digests: Mapping[str, str]
    remove_orphans: bool = False
    partitions: Mapping[str, int] = field(default_factory=dict)
    retention: Mapping[str, Retention] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    operations: tuple[Operation, ...]
    orphans: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def changes(self) -> tuple[Operation, ...]:
        """The operations that change something; the others only wait."""
        return tuple(operation for operation in self.operations if operation.action not in AWAITS)

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
            why="with none, what depends on it would wait for ever, at each up" if count == 0 else "",
            out=f"alpesctl scale {name}=1 is the least; alpesctl down stops the stack"
            if count < 1
            else f"alpesctl scale {name}={MOST_REPLICAS} is the most",
        )
    return count


def require_partitions(name: str, count: int) -> int:
    """A number of partitions that makes sense; raises UsageError otherwise."""
    if not 1 <= count <= MOST_PARTITIONS:
        raise UsageError(
            f"{name}={count}: a topic has 1 to {MOST_PARTITIONS} partitions",
            why="the broker holds a ledger for each" if count > 0 else "",
            out=f"alpesctl partition set {name}=6; as many as there may ever be consumers is enough",
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
    operations += _topics(desired, observed)
    orphans = tuple(r.name for r in observed.replicas if r.service not in desired.spec.services)
    if desired.remove_orphans:
        for replica in observed.replicas:
            if replica.service not in desired.spec.services:
                operations += _down(replica, "its service is no longer in the compose file")
    notes = (
        [] if desired.remove_orphans else [f"{name}: its service is no longer in the compose file" for name in orphans]
    )
    if notes:
        notes[-1] += (
            "; alpesctl up --remove-orphans removes it" if len(notes) == 1 else "; --remove-orphans removes them"
        )
    return Plan(
        tuple(operations),
        orphans,
        (*notes, *drift(desired.spec.pulsar, observed, desired.partitions, desired.retention)),
    )


def beside_a_run(plan: Plan, services: Collection[str]) -> Plan:
    """What of the plan may be done while a scenario runs: `services` get more replicas or fewer. What is there
    and down stays so: a fault may hold it."""
    made = {(o.target, o.number) for o in plan.operations if o.action is Action.CREATE}
    started = (Action.START, Action.UNPAUSE)
    kept = (
        o
        for o in plan.operations
        if o.action is Action.REFRESH_ROUTES
        or (o.target in services and (o.action not in started or (o.target, o.number) in made))
    )
    return replace(plan, operations=tuple(kept))


def plan_down(spec: Spec, observed: Observed) -> Plan:
    """Stops and removes every replica, what depends on others first."""
    order = {name: index for index, name in enumerate(with_dependencies(spec, ()))}
    replicas = sorted(
        observed.replicas, key=lambda r: (order.get(r.service, len(order)), r.service, r.number), reverse=True
    )
    return Plan(tuple(operation for r in replicas for operation in _down(r, "the stack goes down")))


def plan_partitions(spec: Spec, observed: Observed, topic: Topic, partitions: int) -> Plan:
    """Grow a topic, then roll its consumers and producers, each once, so that all of them see every partition.

    Raises UsageError where that would shrink it, or the topic isn't partitioned.
    """
    require_partitions(topic.name, partitions)
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
        for name in dict.fromkeys((*topic.consumers, *topic.producers)):
            for replica in observed.of(name):
                if replica.state is State.RUNNING:
                    operations += [
                        Operation(Action.STOP, name, roll, replica.number),
                        Operation(Action.START, name, roll, replica.number),
                        Operation(Action.AWAIT_HEALTHY, name, "before the next one is rolled", replica.number),
                    ]
    if any(observed.of(name) for name in topic.consumers):
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
    if differing := digest.changed(replica.digest, desired.digests[name]):
        cause = f"its {digest.wording(differing)} changed"
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
        return
    # What depends on a service without a check of its own awaits the image's, where that has one.
    well = (Health.HEALTHY,) if service.health else (Health.HEALTHY, Health.NONE)
    if (service.health or dependent) and (name in changed or any(r.health not in well for r in replicas)):
        awaited.add(name)
        yield Operation(Action.AWAIT_HEALTHY, name, cause)


def _topics(desired: Desired, observed: Observed) -> Iterable[Operation]:
    pulsar = desired.spec.pulsar
    if observed.partitions is None or pulsar is None:
        return
    for topic in pulsar.topics:
        wanted = max(topic.partitions, desired.partitions.get(topic.name, 0))
        if 0 < observed.partitions.get(topic.name, 0) < wanted:
            yield from plan_partitions(desired.spec, observed, topic, wanted).operations
    for name, retention in desired.retention.items():
        if name in (observed.retention or {}):
            yield from plan_retention(observed, name, retention, "it was wished for")


def plan_retention(observed: Observed, topic: str, wanted: Retention | None, cause: str) -> list[Operation]:
    """What gives the topic, or the namespace, a retention of its own, or takes it; none where it is so."""
    present = (observed.retention or {}).get(topic)
    if present == wanted:
        return []
    has = f"it has {present}" if present else "it has none of its own"
    return [Operation(Action.SET_RETENTION, topic, f"{cause}, {has}", retention=wanted)]
