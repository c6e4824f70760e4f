"""A plan as a shell script: each operation with its cause, and the command that a person would type for it.

The runtime gives the words of its own operations; those of the broker are Pulsar's. Runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from alpesctl.reconcile.plan import Action, Operation, Plan
from alpesctl.runtimes.base import Call
from alpesctl.stack.model import Spec, Topic
from alpesctl.stack.retention import UNLIMITED, Retention

_CALLS: Mapping[Action, Call] = {
    Action.CREATE: "create",
    Action.START: "start",
    Action.STOP: "stop",
    Action.REMOVE: "remove",
    Action.UNPAUSE: "unpause",
    Action.REFRESH_ROUTES: "refresh_routes",
    Action.AWAIT_HEALTHY: "await_healthy",
    Action.AWAIT_COMPLETED: "wait",
}


class Shell(Protocol):
    """What of a runtime gives words."""

    def shell(self, call: Call, service: str, number: int) -> list[str]: ...

    def shell_exec(self, service: str, number: int, command: Sequence[str]) -> str: ...


def as_shell(plan: Plan, spec: Spec, counts: Mapping[str, int], runtime: Shell) -> list[str]:
    """The lines of the script; a line that begins with # is no command. `counts` is replicas by service."""
    lines: list[str] = []
    created = {operation.target: None for operation in plan.operations if operation.action is Action.CREATE}
    for line in dict.fromkeys(line for name in created for line in runtime.shell("prepare", name, 1)):
        lines.append(line)
    for index, operation in enumerate(plan.operations, 1):
        lines += [f"# [{index}] {operation}", *_lines(operation, spec, counts, runtime)]
    return lines


def _lines(operation: Operation, spec: Spec, counts: Mapping[str, int], runtime: Shell) -> list[str]:
    call = _CALLS.get(operation.action)
    if call is None:
        return _pulsar(operation, spec, runtime)
    if call != "await_healthy" or operation.number is not None:
        return runtime.shell(call, operation.target, operation.number or 1)
    numbers = range(1, counts.get(operation.target, 1) + 1)
    return [line for number in numbers for line in runtime.shell(call, operation.target, number)]


def _pulsar(operation: Operation, spec: Spec, runtime: Shell) -> list[str]:
    pulsar = spec.pulsar
    if pulsar is None:
        return []
    topic = f"persistent://{pulsar.namespace}/{operation.target}"
    match operation.action:
        case Action.GROW_TOPIC:
            words = ["topics", "update-partitioned-topic", topic, "-p", str(operation.number)]
        case Action.SET_RETENTION:
            scope, name = ("topics", topic) if operation.target else ("namespaces", pulsar.namespace)
            words = _retention(scope, name, operation.retention)
        case _:
            declared = pulsar.topic(operation.target)
            words = ["topics", "partitioned-stats", "--per-partition", topic]
            return [f"# {_consumers(declared)}", runtime.shell_exec(pulsar.service, 1, ["bin/pulsar-admin", *words])]
    return [runtime.shell_exec(pulsar.service, 1, ["bin/pulsar-admin", *words])]


def _retention(scope: str, name: str, retention: Retention | None) -> list[str]:
    if retention is None:
        return [scope, "remove-retention", name]
    size = str(UNLIMITED) if retention.size_mb == UNLIMITED else f"{retention.size_mb}M"
    time = str(UNLIMITED) if retention.time_minutes == UNLIMITED else f"{retention.time_minutes}m"
    return [scope, "set-retention", name, "--size", size, "--time", time]


def _consumers(topic: Topic | None) -> str:
    if topic is None:
        return "until every partition has its consumers:"
    return f"until {topic.subscription} has every replica of {' and '.join(topic.consumers)} on each partition:"
