"""Carries out a scenario's faults on their timeline, in a thread of its own, and undoes them.

Logs what happened when; whether that makes a run void is the verdict's business.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from alpesctl.errors import AlpesError
from alpesctl.experiments.model import Fault, Step
from alpesctl.runtimes.base import Runtime, State

POLL = 0.05  # seconds between two looks at an awaited condition
FREEZING = 1.0  # seconds that a pause may take to show
UNDO = {"pause": "unpause", "kill": "restart", "stop": "restart"}


@dataclass(frozen=True)
class FaultEvent:
    """`at` and `done` are Unix seconds: asked for, and finished. Empty `error` means that it happened."""

    at: float
    done: float
    action: str
    target: str
    error: str = ""


@dataclass(frozen=True, eq=False)
class Down:
    """What a fault did to a replica and was not undone yet; each is itself only, so that an undo that was
    scheduled for one never acts on a later one."""

    action: str


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
        self._down: dict[tuple[str, int], Down] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.events: list[FaultEvent] = []
        self.undone: list[FaultEvent] = []  # what `undo` had to lift or start, and did

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
        for (service, number), down in list(self._down.items()):
            self._act(UNDO[down.action], service, number)
            if (service, number) not in self._down:
                self.undone.append(self.events[-1])

    @property
    def left(self) -> list[str]:
        """The replicas that are still down or paused by a fault."""
        return [f"{service}-{number}" for service, number in self._down]

    def longest(self) -> float:
        """Seconds from the timeline's start within which all of it is over, but for how long its actions take."""
        return max((f.at + (f.repeat - 1) * f.every + sum(map(_takes, f.steps)) for f in self._faults), default=0.0)

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
        paused: list[tuple[tuple[str, int], Down]] = []
        for step in fault.steps:
            if step.action == "wait":
                yield self._now() + (step.seconds or 0.0)
            elif step.action == "await":
                if not (yield from self._await(step)):
                    self._lift(paused)
                    return
            else:
                key = (step.service, step.replica)
                before = self._down.get(key)
                self._act(step.action, *key)
                down = self._down.get(key)
                if down is None or down is before:  # it did not happen: there is nothing to undo
                    continue
                if step.action == "pause":
                    paused.append((key, down))
                after = step.seconds if step.action == "pause" else step.restart_after
                if after is not None:
                    self._schedule(self._now() + after, self._undo_later(key, down))

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

    def _undo_later(self, key: tuple[str, int], down: Down) -> Iterator[float]:
        if self._down.get(key) is down:
            self._act(UNDO[down.action], *key)
        yield from ()

    def _lift(self, paused: Sequence[tuple[tuple[str, int], Down]]) -> None:
        """A turn ends early: nothing of it may stay paused."""
        for key, down in paused:
            if self._down.get(key) is down:
                self._act("unpause", *key)

    def _act(self, action: str, service: str, number: int) -> None:
        asked, error = self._now(), ""
        try:
            self._carry_out(action, service, number)
        except AlpesError as problem:
            error = f"{problem.what} {problem.why}".strip()
        self._log(FaultEvent(asked, self._now(), action, f"{service}-{number}", error))

    def _carry_out(self, action: str, service: str, number: int) -> None:
        runtime, key = self._runtime, (service, number)
        if action in ("kill", "stop"):
            self._expect_up(service, number, State.RUNNING, State.PAUSED)
            self._down[key] = Down(action)
            if action == "kill":
                runtime.kill(service, number)
            else:
                runtime.stop(service, number)
            if self._state(service, number) in (State.RUNNING, State.PAUSED):
                raise AlpesError(f"{service}-{number} still runs")
        elif action == "pause":
            self._expect_up(service, number, State.RUNNING)
            self._down[key] = Down(action)
            runtime.pause(service, number)
            self._expect_paused(service, number)
        elif action == "unpause":
            runtime.unpause(service, number)
            self._down.pop(key, None)
        else:
            runtime.start(service, number)
            self._down.pop(key, None)  # only now: a start that failed is tried again at the run's end

    def _state(self, service: str, number: int) -> State:
        for replica in self._runtime.replicas(with_health=False):
            if (replica.service, replica.number) == (service, number):
                return replica.state
        raise AlpesError(f"there is no {service}-{number}")

    def _expect_up(self, service: str, number: int, *allowed: State) -> None:
        """What isn't up can't be hit."""
        state = self._state(service, number)
        if state not in allowed:
            raise AlpesError(f"{service}-{number} was {state.value} already")

    def _expect_paused(self, service: str, number: int) -> None:
        deadline = time.monotonic() + FREEZING
        while (state := self._state(service, number)) is not State.PAUSED:
            if time.monotonic() > deadline:
                raise AlpesError(f"{service}-{number} is {state.value}, not paused")
            time.sleep(POLL)

    def _log(self, event: FaultEvent) -> None:
        self.events.append(event)
        self._report(event)


def _takes(step: Step) -> float:
    """Seconds that a step may take, its own undoing included."""
    return (step.seconds or 0.0) + (step.restart_after or 0.0) + (step.within if step.action == "await" else 0.0)


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
