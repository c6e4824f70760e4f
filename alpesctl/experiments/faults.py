"""Carries out a scenario's faults on their timeline, in a thread of its own, and undoes them.

Logs what happened when; whether that makes a run void is the verdict's business.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from alpesctl.errors import AlpesError
from alpesctl.experiments.model import Fault, Step
from alpesctl.runtimes.base import Runtime, State

POLL = 0.05  # seconds between two looks at an awaited condition
UNDO = {"pause": "unpause", "kill": "restart", "stop": "restart"}


@dataclass(frozen=True)
class FaultEvent:
    """`at` and `done` are Unix seconds: asked for, and finished. Empty `error` means that it happened."""

    at: float
    done: float
    action: str
    target: str
    error: str = ""


class FaultRunner:
    """`start` is when `at` = 0 is, in Unix seconds; `observe` reads a step's condition as a number."""

    def __init__(
        self,
        runtime: Runtime,
        faults: Sequence[Fault],
        observe: Callable[[Step], int],
        now: Callable[[], float],
        report: Callable[[FaultEvent], None] = lambda _: None,
    ) -> None:
        self._runtime = runtime
        self._faults = faults
        self._observe = observe
        self._now = now
        self._report = report
        self._order = itertools.count()
        self._due: list[tuple[float, int, Iterator[float]]] = []
        self._down: dict[tuple[str, int], str] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.events: list[FaultEvent] = []

    def start(self, start: float) -> None:
        for fault in self._faults:
            for turn in range(fault.repeat):
                self._schedule(start + fault.at + turn * fault.every, self._play(fault))
        self._thread = threading.Thread(target=self._run, name="faults", daemon=True)
        self._thread.start()

    def finish(self, timeout: float) -> None:
        """Wait for what is still due (restarts, mostly), then undo what is left."""
        if self._thread is not None:
            self._thread.join(timeout)
        self.undo()

    def undo(self) -> None:
        """Stop the timeline; lift pauses and start what is down, now."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(30.0)
        for (service, number), action in list(self._down.items()):
            self._act(UNDO[action], service, number)

    def _schedule(self, at: float, steps: Iterator[float]) -> None:
        heapq.heappush(self._due, (at, next(self._order), steps))

    def _run(self) -> None:
        while self._due and not self._stop.is_set():
            wait = self._due[0][0] - self._now()
            if wait > 0:
                self._stop.wait(min(wait, 0.2))
                continue
            _, _, steps = heapq.heappop(self._due)
            again = next(steps, None)
            if again is not None:
                self._schedule(again, steps)

    def _play(self, fault: Fault) -> Iterator[float]:
        """One turn of a fault; yields when it wants to go on."""
        for step in fault.steps:
            if step.action == "wait":
                yield self._now() + (step.seconds or 0.0)
            elif step.action == "await":
                if not (yield from self._await(step)):
                    self._lift(fault)
                    return
            else:
                self._act(step.action, step.service, step.replica)
                after = step.seconds if step.action == "pause" else step.restart_after
                if after is not None:
                    undoing = self._undo_later(UNDO[step.action], step.service, step.replica)
                    self._schedule(self._now() + after, undoing)

    def _await(self, step: Step) -> Generator[float, None, bool]:
        asked, seen = self._now(), 0
        while self._now() - asked < step.within:
            try:
                seen = seen + 1 if self._observe(step) >= step.at_least else 0
            except AlpesError:  # the observed part may be down by this very fault; look again
                seen = 0
            if seen == 2:
                self._log(FaultEvent(asked, self._now(), "await", step.condition))
                return True
            yield self._now() + POLL
        why = f"{step.condition} did not reach {step.at_least} within {step.within:g} s"
        self._log(FaultEvent(asked, self._now(), "await", step.condition, why))
        return False

    def _undo_later(self, action: str, service: str, number: int) -> Iterator[float]:
        if (service, number) in self._down:
            self._act(action, service, number)
        yield from ()

    def _lift(self, fault: Fault) -> None:
        """A turn ends early: nothing of it may stay paused."""
        for step in fault.steps:
            if self._down.get((step.service, step.replica)) == "pause":
                self._act("unpause", step.service, step.replica)

    def _act(self, action: str, service: str, number: int) -> None:
        asked, error = self._now(), ""
        try:
            self._carry_out(action, service, number)
        except AlpesError as problem:
            error = f"{problem.what} {problem.why}".strip()
        self._log(FaultEvent(asked, self._now(), action, f"{service}-{number}", error))

    def _carry_out(self, action: str, service: str, number: int) -> None:
        runtime, key = self._runtime, (service, number)
        if action == "kill":
            self._down[key] = action
            runtime.kill(service, number)
            self._expect_down(service, number)
        elif action == "stop":
            self._down[key] = action
            runtime.stop(service, number)
            self._expect_down(service, number)
        elif action == "pause":
            self._down[key] = action
            runtime.pause(service, number)
        elif action == "unpause":
            self._down.pop(key, None)
            runtime.unpause(service, number)
        else:
            self._down.pop(key, None)
            runtime.start(service, number)

    def _expect_down(self, service: str, number: int) -> None:
        for replica in self._runtime.replicas(with_health=False):
            if (replica.service, replica.number) == (service, number):
                if replica.state in (State.RUNNING, State.PAUSED):
                    raise AlpesError(f"{replica.name} still runs")
                return
        raise AlpesError(f"there is no {service}-{number}")

    def _log(self, event: FaultEvent) -> None:
        self.events.append(event)
        self._report(event)


def downtimes(events: Sequence[FaultEvent], service: str) -> list[tuple[float, float]]:
    """From when to when (Unix seconds) a replica of `service` was down or paused by these faults."""
    gaps: list[tuple[float, float]] = []
    open_at: dict[str, float] = {}
    for event in sorted(events, key=lambda event: event.at):
        if event.target.rpartition("-")[0] != service:
            continue
        if event.action in UNDO:
            open_at.setdefault(event.target, event.at)
        elif event.target in open_at:
            gaps.append((open_at.pop(event.target), event.done))
    return gaps + [(begun, float("inf")) for begun in open_at.values()]
