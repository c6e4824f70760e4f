"""Checks of the stack's replicas: each that isn't well, with the cause from its own log. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alpesctl.diagnosis.finding import Finding, Severity, Side
from alpesctl.runtimes.base import Health, Replica, State
from alpesctl.stack.model import Spec

CRASH_LOOP = 3
"""Restarts after which what comes back by itself is taken to go on dying."""

_SIGKILL = 137


def needs_cause(replica: Replica, spec: Spec) -> bool:
    """Whether the replica's log is wanted: it isn't well, and may say why."""
    return _judge(replica, spec)[0] is not Severity.OK


def replicas(
    found: Sequence[Replica], spec: Spec, wanted: Mapping[str, int], causes: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """Every replica, and what is missing. `causes` holds the last error-like lines by replica."""
    if not found:
        yield Finding(Side.STACK, Severity.OK, "replicas", "nothing is up: alpesctl up starts it")
        return
    for replica in found:
        severity, what, out = _judge(replica, spec)
        why = " | ".join(causes.get(replica.name, ())) if severity is not Severity.OK else ""
        yield Finding(Side.STACK, severity, replica.name, what, why, out)
    there = {replica.service for replica in found}
    absent = [name for name in spec.services if name not in there and wanted.get(name, 1)]
    if absent:
        what = f"not up: {', '.join(absent)}"
        yield Finding(Side.STACK, Severity.WARNING, "replicas", what, "other parts of the stack are", "alpesctl up")
    for name in sorted(there & set(spec.services)):
        count = sum(replica.service == name for replica in found)
        if count < wanted.get(name, count):
            what = f"{count} of {wanted[name]} replicas are there"
            yield Finding(Side.STACK, Severity.PROBLEM, name, what, out="alpesctl up")


def _judge(replica: Replica, spec: Spec) -> tuple[Severity, str, str]:
    """How bad, what, and the way out."""
    service = spec.services.get(replica.service)
    logs = f"alpesctl logs {replica.service} --tail 50"
    again = f"came back by itself {replica.restarts} times since it was started"
    if service is None:
        return Severity.WARNING, "its service is not in the compose file", "alpesctl up --remove-orphans"
    if replica.state is State.RESTARTING or (replica.restarts >= CRASH_LOOP and replica.health is not Health.HEALTHY):
        return (
            Severity.PROBLEM,
            f"it crashes and is started again: {again}",
            f"mend the cause, then alpesctl up; {logs}",
        )
    if replica.state is State.PAUSED:
        return Severity.PROBLEM, "it is frozen (paused)", "alpesctl up lets it go on"
    if replica.state is State.CREATED:
        return Severity.PROBLEM, "it was made and never started", "alpesctl up"
    if replica.state is State.EXITED:
        if service.one_shot and replica.exit_code == 0:
            return Severity.OK, "done", ""
        ended = f"exit code {replica.exit_code}" if replica.exit_code is not None else "its exit code is unknown"
        killed = ": killed, by hand or for want of memory" if replica.exit_code == _SIGKILL else ""
        return Severity.PROBLEM, f"it is down ({ended}{killed})", f"alpesctl up; {logs}"
    if replica.health is Health.UNHEALTHY:
        return Severity.PROBLEM, "it runs, and its health check fails", logs
    if replica.health is Health.STARTING:
        return Severity.WARNING, "it runs, and is not healthy yet", logs
    if replica.restarts:
        return Severity.WARNING, f"well now, but {again}", logs
    return Severity.OK, "healthy" if replica.health is Health.HEALTHY else "running", ""
