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
from alpesctl.experiments.model import EVERY, Fault, Step
from alpesctl.journal import Journal
from alpesctl.runtimes.base import Runtime, State, present

POLL = 0.05  # seconds between two looks at an awaited condition
FREEZING = 1.0  # seconds that a pause may take to show
UNDO = {"pause": "unpause", "kill": "restart", "stop": "restart"}


@dataclass(frozen=True)
class FaultEvent:
    """`at` and `done` are Unix seconds: asked for, and finished. Empty `error` means that it happened. `turn` is
    the number of the fault's turn on the timeline, from 0."""

    at: float
    done: float
    action: str
    target: str
    error: str = ""
    turn: int = 0

    @property
    def service(self) -> str:
        return self.target.rpartition("-")[0]


@dataclass(frozen=True, eq=False)
class Down:
    """What a fault did to a replica and was not undone yet; each is itself only, so that an undo that was
    scheduled for one never acts on a later one."""

    action: str
    turn: int


class FaultRunner:
    """`start` is when `at` = 0 is, in Unix seconds; `observe` reads a step's condition as a number."""

    def __init__(
        self,
        runtime: Runtime,
        faults: Sequence[Fault],
        observe: Callable[[Step], int],
        now: Callable[[], float],
        journal: Journal,
        report: Callable[[FaultEvent], None] = lambda _: None,
    ) -> None:
        self._runtime = runtime
        self._faults = faults
        self._observe = observe
        self._now = now
        self._report = report
        self._journal = journal
        self._order = itertools.count()
        self._due: list[tuple[float, int, Iterator[float]]] = []
        self._down: dict[tuple[str, int], Down] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.events: list[FaultEvent] = []
        self.undone: list[FaultEvent] = []  # what `undo` had to lift or start, and did

    def start(self, start: float) -> None:
        for turn, (at, fault) in enumerate(turns(self._faults)):
            self._schedule(start + at, self._play(fault, turn))
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
            self._act(UNDO[down.action], service, number, down.turn)
            if (service, number) not in self._down:
                self.undone.append(self.events[-1])

    @property
    def left(self) -> list[str]:
        """The replicas that are still down or paused by a fault."""
        return [f"{service}-{number}" for service, number in self._down]

    def longest(self) -> float:
        """Seconds from the timeline's start within which all of it is over, but for how long its actions take."""
        return max((at + sum(map(_takes, fault.steps)) for at, fault in turns(self._faults)), default=0.0)

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

    def _play(self, fault: Fault, turn: int) -> Iterator[float]:
        """One turn of a fault; yields when it wants to go on."""
        paused: list[tuple[tuple[str, int], Down]] = []
        for step in fault.steps:
            if step.action == "wait":
                yield self._now() + (step.seconds or 0.0)
            elif step.action == "await":
                if not (yield from self._await(step, turn)):
                    self._lift(paused)
                    return
            else:
                hit = [(key, down) for key in self._targets(step) if (down := self._hit(step, key, turn))]
                if step.action == "pause":
                    paused += hit
                after = step.seconds if step.action == "pause" else step.restart_after
                if after is not None and hit:
                    self._schedule(self._now() + after, self._undo_later(hit))

    def _targets(self, step: Step) -> list[tuple[str, int]]:
        """The replicas that a step hits; of a service without any, the first is said not to be there."""
        numbers = list(present(self._runtime, step.service)) if step.replica == EVERY else [step.replica]
        return [(step.service, number) for number in numbers or [1]]

    def _hit(self, step: Step, key: tuple[str, int], turn: int) -> Down | None:
        """What the step did to the replica; None where it did not happen: there is nothing to undo."""
        before = self._down.get(key)
        self._act(step.action, *key, turn)
        down = self._down.get(key)
        return None if down is before else down

    def _await(self, step: Step, turn: int) -> Generator[float, None, bool]:
        asked, seen = self._now(), 0
        while self._now() - asked < step.within:
            try:
                seen = seen + 1 if self._observe(step) >= step.at_least else 0
            except AlpesError:  # the observed part may be down by this very fault; look again
                seen = 0
            if seen == 2:
                self._log(FaultEvent(asked, self._now(), "await", step.condition, turn=turn))
                return True
            yield self._now() + POLL
        why = f"{step.condition} did not reach {step.at_least} within {step.within:g} s"
        self._log(FaultEvent(asked, self._now(), "await", step.condition, why, turn))
        return False

    def _undo_later(self, hit: Sequence[tuple[tuple[str, int], Down]]) -> Iterator[float]:
        for key, down in hit:
            if self._down.get(key) is down:
                self._act(UNDO[down.action], *key, down.turn)
        yield from ()

    def _lift(self, paused: Sequence[tuple[tuple[str, int], Down]]) -> None:
        """A turn ends early: nothing of it may stay paused."""
        for key, down in paused:
            if self._down.get(key) is down:
                self._act("unpause", *key, down.turn)

    def _act(self, action: str, service: str, number: int, turn: int) -> None:
        asked, error = self._now(), ""
        try:
            self._carry_out(action, service, number, turn)
        except AlpesError as problem:
            error = f"{problem.what} {problem.why}".strip()
        self._log(FaultEvent(asked, self._now(), action, f"{service}-{number}", error, turn))

    def _carry_out(self, action: str, service: str, number: int, turn: int) -> None:
        runtime, key = self._runtime, (service, number)
        if action in ("kill", "stop"):
            self._expect_up(service, number, State.RUNNING, State.PAUSED)
            self._begin(key, Down(action, turn))
            if action == "kill":
                runtime.kill(service, number)
            else:
                runtime.stop(service, number)
            if self._state(service, number) in (State.RUNNING, State.PAUSED):
                raise AlpesError(f"{service}-{number} still runs")
        elif action == "pause":
            self._expect_up(service, number, State.RUNNING)
            self._begin(key, Down(action, turn))
            runtime.pause(service, number)
            self._expect_paused(service, number)
        elif action == "unpause":
            runtime.unpause(service, number)
            self._end(key)
        else:
            runtime.start(service, number)
            self._end(key)  # only now: a start that failed is tried again at the run's end

    def _begin(self, key: tuple[str, int], down: Down) -> None:
        self._down[key] = down
        self._journal.begin(*key, down.action)

    def _end(self, key: tuple[str, int]) -> None:
        self._down.pop(key, None)
        self._journal.end(*key)

    def _state(self, service: str, number: int) -> State:
        state = present(self._runtime, service).get(number)
        if state is None:
            raise AlpesError(f"there is no {service}-{number}")
        return state

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


def turns(faults: Sequence[Fault]) -> list[tuple[float, Fault]]:
    """Every turn of every fault, in order of its time (seconds after the load's start)."""
    found = [(fault.at + n * fault.every, fault) for fault in faults for n in range(fault.repeat)]
    return sorted(found, key=lambda turn: turn[0])


def _takes(step: Step) -> float:
    """Seconds that a step may take, its own undoing included."""
    return (step.seconds or 0.0) + (step.restart_after or 0.0) + (step.within if step.action == "await" else 0.0)


def downtimes(events: Sequence[FaultEvent], service: str) -> list[tuple[float, float]]:
    """From when to when (Unix seconds) a replica of `service` was down or paused by these faults."""
    gaps: list[tuple[float, float]] = []
    open_at: dict[str, float] = {}
    for event in sorted(events, key=lambda event: event.at):
        if event.service != service:
            continue
        if event.action in UNDO:
            open_at.setdefault(event.target, event.at)
        elif event.target in open_at:
            gaps.append((open_at.pop(event.target), event.done))
    return gaps + [(begun, float("inf")) for begun in open_at.values()]
