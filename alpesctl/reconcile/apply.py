"""Carries a plan's operations out, one after the other, with progress. Decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from alpesctl.diagnosis.stack import CRASH_LOOP
from alpesctl.diagnosis.words import cause
from alpesctl.errors import UnhealthyError
from alpesctl.pulsar_admin import PulsarAdmin
from alpesctl.reconcile.plan import Action, Operation, Plan
from alpesctl.runtimes.base import Health, Replica, Runtime, State
from alpesctl.stack.model import Spec

Progress = Callable[[str, Operation], None]
"""Called with "begin" and "done" around every operation."""

_POLL = 0.2
_TAIL = 100
_MARGIN = 30.0
_COMPLETED_TIMEOUT = 180.0
_CONSUMERS_TIMEOUT = 90.0


class Applier:
    """Applies plans to one runtime. `admin` gives a client of the broker once it is up."""

    def __init__(
        self, runtime: Runtime, spec: Spec, admin: Callable[[], PulsarAdmin], progress: Progress | None = None
    ) -> None:
        self._runtime = runtime
        self._spec = spec
        self._admin = admin
        self._started: set[str] = set()
        self._progress = progress or (lambda _stage, _operation: None)

    def apply(self, plan: Plan) -> None:
        """Raises AlpesError at the first operation that fails; what was done stays done."""
        for operation in plan.operations:
            self._progress("begin", operation)
            self._carry_out(operation)
            self._progress("done", operation)

    def _carry_out(self, operation: Operation) -> None:
        name, number = operation.target, operation.number or 1
        runtime = self._runtime
        match operation.action:
            case Action.CREATE:
                runtime.create(self._spec.services[name], number)
            case Action.START:
                runtime.start(name, number)
                self._started.add(f"{name}-{number}")
            case Action.STOP:
                runtime.stop(name, number)
            case Action.REMOVE:
                runtime.remove(name, number)
            case Action.UNPAUSE:
                runtime.unpause(name, number)
            case Action.REFRESH_ROUTES:
                runtime.refresh_routes()
            case Action.AWAIT_HEALTHY:
                self._await_healthy(name, operation.number)
            case Action.AWAIT_COMPLETED:
                self._await_completed(name, number)
            case Action.GROW_TOPIC:
                self._admin().grow(name, number)
            case Action.SET_RETENTION:
                self._admin().set_retention(operation.retention, name)
            case Action.AWAIT_CONSUMERS:
                self._await_consumers(name)

    def _await_healthy(self, name: str, number: int | None) -> None:
        check = self._spec.services[name].health
        timeout = _MARGIN + (check.start_period + check.retries * check.interval if check else 0.0)
        deadline = time.monotonic() + timeout
        before: dict[str, int] = {}
        while True:
            asked = time.monotonic()
            replicas = [r for r in self._runtime.replicas([name]) if number in (None, r.number)]
            waiting = [r for r in replicas if r.health not in (Health.HEALTHY, Health.NONE) or not _up(r)]
            if replicas and not waiting:
                return
            for replica in waiting:
                # What was started here began with none; what crashed long before may just have been mended.
                first = before.setdefault(replica.name, 0 if replica.name in self._started else replica.restarts)
                if replica.restarts - first >= CRASH_LOOP:
                    raise UnhealthyError(
                        f"{replica.name} crashes and was started again {replica.restarts} times",
                        why=self._last_words(name),
                        out=f"mend the cause, then alpesctl up; alpesctl logs {name}",
                    )
            if time.monotonic() > deadline:
                who = ", ".join(r.name for r in waiting) or name
                raise UnhealthyError(
                    f"{who} did not become healthy within {timeout:.0f} s",
                    why=self._last_words(name),
                    out=f"alpesctl logs {name}",
                )
            # A check may cost as much as what it waits for: as long as it took is left to that.
            time.sleep(max(_POLL, time.monotonic() - asked))

    def _await_completed(self, name: str, number: int) -> None:
        code = self._runtime.wait(name, number, timeout=_COMPLETED_TIMEOUT)
        if code != 0:
            raise UnhealthyError(
                f"{name} failed with exit code {code}",
                why=self._last_words(name),
                out=f"alpesctl logs {name}; alpesctl up runs it again",
            )

    def _await_consumers(self, topic_name: str) -> None:
        pulsar = self._spec.pulsar
        topic = pulsar.topic(topic_name) if pulsar else None
        if topic is None:
            return
        deadline = time.monotonic() + _CONSUMERS_TIMEOUT
        while True:
            stats = self._admin().stats(topic.name)
            subscription = stats.subscriptions.get(topic.subscription)
            expected = sum(1 for r in self._runtime.replicas(topic.consumers, with_health=False) if _up(r))
            lacking = (
                [full for full, names in subscription.consumers.items() if len(names) < expected]
                if subscription
                else [topic.name]
            )
            if not lacking and subscription and len(subscription.consumers) == max(1, stats.partitions):
                return
            if time.monotonic() > deadline:
                raise UnhealthyError(
                    f"{topic.subscription} has too few consumers on {', '.join(lacking)}",
                    why=self._last_words(*topic.consumers),
                    out=f"alpesctl status; alpesctl logs {' '.join(topic.consumers)}",
                )
            time.sleep(_POLL)

    def _last_words(self, *names: str) -> str:
        lines = (line.text for line in self._runtime.logs(names, tail=_TAIL))
        return " | ".join(cause(lines)) or "its log is empty"


def _up(replica: Replica) -> bool:
    return replica.state is State.RUNNING
