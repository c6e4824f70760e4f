"""The timeline of faults, on a runtime that only keeps states."""

import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alpesctl.errors import AlpesError
from alpesctl.experiments import faults
from alpesctl.experiments.faults import FaultEvent, FaultRunner, downtimes
from alpesctl.experiments.model import EVERY, Fault, Step
from alpesctl.journal import Entry, Journal, undo
from alpesctl.runtimes.base import Replica, State

PAPER: Any = SimpleNamespace(begin=lambda *_: None, end=lambda *_: None)


class Stage:
    """Replicas by (service, number) and the calls that were made."""

    def __init__(self, *names: tuple[str, int]) -> None:
        self.states = dict.fromkeys(names, State.RUNNING)
        self.calls: list[tuple[str, str, int]] = []

    def _set(self, call: str, service: str, number: int, state: State) -> None:
        if (service, number) not in self.states:
            raise AlpesError(f"there is no {service}-{number}")
        self.calls.append((call, service, number))
        self.states[service, number] = state

    def kill(self, service: str, number: int) -> None:
        self._set("kill", service, number, State.EXITED)

    def stop(self, service: str, number: int) -> None:
        self._set("stop", service, number, State.EXITED)

    def start(self, service: str, number: int) -> None:
        self._set("start", service, number, State.RUNNING)

    def pause(self, service: str, number: int) -> None:
        self._set("pause", service, number, State.PAUSED)

    def unpause(self, service: str, number: int) -> None:
        self._set("unpause", service, number, State.RUNNING)

    def replicas(
        self, services: Collection[str] | None = None, *, with_usage: bool = False, with_health: bool = True
    ) -> list[Replica]:
        return [Replica(s, n, state, "") for (s, n), state in self.states.items() if not services or s in services]


def play(
    stage: Stage, *faults: Fault, observe: Callable[[Step], int] = lambda _: 0, journal: Any = PAPER
) -> FaultRunner:
    runner = FaultRunner(stage, faults, observe, time.monotonic, journal)  # type: ignore[arg-type]
    runner.start(time.monotonic())
    runner.finish(10.0)
    return runner


def test_a_kill_is_started_again() -> None:
    stage = Stage(("w", 1), ("w", 2))
    runner = play(stage, Fault(0.05, (Step("kill", "w", 2, restart_after=0.05),)))
    assert [call[0] for call in stage.calls] == ["kill", "start"]
    killed, restarted = runner.events
    assert (killed.action, killed.target, killed.error, restarted.action) == ("kill", "w-2", "", "restart")
    assert restarted.at - killed.at >= 0.05
    assert set(stage.states.values()) == {State.RUNNING}


def test_what_has_no_end_is_undone_at_the_runs_end() -> None:
    stage = Stage(("w", 1), ("db", 1))
    play(stage, Fault(0.0, (Step("pause", "db"), Step("stop", "w"))))
    assert set(stage.states.values()) == {State.RUNNING}
    assert sorted(call[0] for call in stage.calls[2:]) == ["start", "unpause"]


def test_a_pause_of_what_is_then_killed_is_not_lifted_but_started() -> None:
    stage = Stage(("db", 1))
    play(stage, Fault(0.0, (Step("pause", "db"), Step("kill", "db", restart_after=0.02))))
    assert [call[0] for call in stage.calls] == ["pause", "kill", "start"]


def test_every_replica_is_hit_and_started_again() -> None:
    stage = Stage(("w", 1), ("w", 2), ("v", 1))
    runner = play(stage, Fault(0.0, (Step("stop", "w", EVERY, restart_after=0.0),)))
    assert stage.calls == [("stop", "w", 1), ("stop", "w", 2), ("start", "w", 1), ("start", "w", 2)]
    assert {event.turn for event in runner.events} == {0}


def test_every_replica_of_a_service_without_any_is_an_error() -> None:
    runner = play(Stage(("w", 1)), Fault(0.0, (Step("kill", "v", EVERY),)))
    assert [event.error for event in runner.events] == ["there is no v-1"]


def test_turns_are_numbered_in_order_of_time() -> None:
    stage = Stage(("w", 1), ("v", 1))
    often = Fault(0.02, (Step("kill", "w", restart_after=0.0),), repeat=2, every=0.2)
    between = Fault(0.1, (Step("kill", "v", restart_after=0.0),))
    runner = play(stage, often, between)
    assert [(e.action, e.target, e.turn) for e in runner.events] == [
        ("kill", "w-1", 0),
        ("restart", "w-1", 0),
        ("kill", "v-1", 1),
        ("restart", "v-1", 1),
        ("kill", "w-1", 2),
        ("restart", "w-1", 2),
    ]


def test_the_journal_holds_a_fault_from_before_it_happens_until_it_is_undone(tmp_path: Path) -> None:
    journal, seen = Journal(tmp_path / "faults.json"), []

    class Watched(Stage):
        def _set(self, call: str, service: str, number: int, state: State) -> None:
            seen.append((call, journal.entries()))
            super()._set(call, service, number, state)

    play(Watched(("w", 1)), Fault(0.0, (Step("pause", "w", seconds=0.01),)), journal=journal)
    assert seen == [("pause", [Entry("w", 1, "pause")]), ("unpause", [Entry("w", 1, "pause")])]
    assert journal.entries() == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_undone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "faults.json")
    stage = Stage(("w", 1), ("db", 1), ("v", 1))
    for service, action, state in (("w", "kill", State.EXITED), ("db", "pause", State.PAUSED)):
        journal.begin(service, 1, action)
        stage.states[service, 1] = state
    journal.begin("v", 1, "stop")  # it runs again
    journal.begin("gone", 1, "stop")
    words = undo(journal, stage)  # type: ignore[arg-type]
    assert stage.calls == [("start", "w", 1), ("unpause", "db", 1)]
    assert words[0] == "undone, of a run that was killed: w-1 (kill)"
    assert journal.entries() == []


def test_what_can_not_be_undone_stays_in_the_journal(tmp_path: Path) -> None:
    class Stuck(Stage):
        def start(self, service: str, number: int) -> None:
            raise AlpesError("no memory")

    journal = Journal(tmp_path / "faults.json")
    journal.begin("w", 1, "kill")
    stage = Stuck(("w", 1))
    stage.states["w", 1] = State.EXITED
    assert undo(journal, stage) == ["a killed run's fault is still there: w-1 (kill): no memory"]  # type: ignore[arg-type]
    assert journal.entries() == [Entry("w", 1, "kill")]


def test_steps_wait_for_their_condition_and_repeat() -> None:
    stage = Stage(("w", 1), ("db", 1))
    steps = (
        Step("pause", "db"),
        Step("await", condition="unacknowledged", within=2.0),
        Step("wait", seconds=0.02),
        Step("kill", "w", restart_after=0.02),
        Step("kill", "db", restart_after=0.02),
    )
    looks = iter([0, 1, 0, *[3] * 100])
    runner = play(stage, Fault(0.0, steps, repeat=2, every=0.6), observe=lambda _: next(looks))
    assert [c[:2] for c in stage.calls].count(("kill", "db")) == 2
    assert not [event for event in runner.events if event.error]
    assert next(looks) == 3


def test_a_condition_that_never_comes_is_an_error_and_lifts_the_pause() -> None:
    stage = Stage(("w", 1), ("db", 1))
    steps = (Step("pause", "db"), Step("await", condition="unacknowledged", within=0.1), Step("kill", "w"))
    runner = play(stage, Fault(0.0, steps))
    assert stage.states == {("w", 1): State.RUNNING, ("db", 1): State.RUNNING}
    assert [event.error for event in runner.events if event.error] == ["unacknowledged did not reach 1 within 0.1 s"]


def test_a_kill_that_does_not_kill_is_an_error() -> None:
    class Immortal(Stage):
        def kill(self, service: str, number: int) -> None:
            self.calls.append(("kill", service, number))

    runner = play(Immortal(("w", 1)), Fault(0.0, (Step("kill", "w"),)))
    assert runner.events[0].error == "w-1 still runs"


def test_a_replica_that_is_not_there_is_an_error() -> None:
    runner = play(Stage(("w", 1)), Fault(0.0, (Step("kill", "w", 7),)))
    assert "there is no w-7" in runner.events[0].error


def test_undo_does_not_wait_for_the_timeline() -> None:
    stage = Stage(("w", 1))
    runner = FaultRunner(
        stage, [Fault(0.0, (Step("kill", "w", restart_after=60.0),))], lambda _: 0, time.monotonic, PAPER
    )  # type: ignore[arg-type]
    happened = threading.Event()
    runner._report = lambda event: happened.set()
    runner.start(time.monotonic())
    assert happened.wait(5.0)
    runner.undo()
    assert stage.states["w", 1] is State.RUNNING


def test_downtimes_are_of_one_service() -> None:
    events = [
        FaultEvent(1.0, 1.1, "kill", "nginx-1"),
        FaultEvent(2.0, 2.5, "restart", "nginx-1"),
        FaultEvent(3.0, 3.1, "pause", "nginx-1"),
        FaultEvent(1.5, 1.6, "kill", "w-1"),
    ]
    assert downtimes(events, "nginx") == [(1.0, 2.5), (3.0, float("inf"))]


@pytest.mark.parametrize("state", [State.EXITED, State.RESTARTING, State.CREATED])
@pytest.mark.parametrize("action", ["kill", "stop", "pause"])
def test_what_is_not_up_can_not_be_hit(action: str, state: State) -> None:
    stage = Stage(("w", 1))
    stage.states["w", 1] = state
    runner = play(stage, Fault(0.0, (Step(action, "w", restart_after=0.01, seconds=0.01),)))
    assert [event.error for event in runner.events] == [f"w-1 was {state.value} already"]
    assert stage.calls == []


def test_what_is_paused_can_not_be_paused_again() -> None:
    runner = play(Stage(("w", 1)), Fault(0.0, (Step("pause", "w"), Step("pause", "w"))))
    assert [event.error for event in runner.events] == ["", "w-1 was paused already", ""]


def test_a_pause_that_does_not_freeze_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Restless(Stage):
        def pause(self, service: str, number: int) -> None:
            self.calls.append(("pause", service, number))

    monkeypatch.setattr(faults, "FREEZING", 0.05)
    runner = play(Restless(("w", 1)), Fault(0.0, (Step("pause", "w"),)))
    assert runner.events[0].error == "w-1 is running, not paused"


def test_an_undo_that_was_scheduled_for_one_fault_leaves_a_later_one_alone() -> None:
    """The pause's end comes after the kill that ended the pause, and before the kill's own restart."""
    stage = Stage(("w", 1))
    steps = (Step("pause", "w", seconds=0.15), Step("kill", "w", restart_after=0.5))
    runner = play(stage, Fault(0.0, steps))
    assert [call[0] for call in stage.calls] == ["pause", "kill", "start"]
    killed, started = (next(e for e in runner.events if e.action == name) for name in ("kill", "restart"))
    assert started.at - killed.at >= 0.5


def test_a_restart_that_failed_is_tried_again_in_the_end() -> None:
    class Slow(Stage):
        failures = 1

        def start(self, service: str, number: int) -> None:
            if self.failures:
                self.failures -= 1
                raise AlpesError("it does not start")
            super().start(service, number)

    stage = Slow(("w", 1))
    runner = play(stage, Fault(0.0, (Step("kill", "w", restart_after=0.01),)))
    assert stage.states["w", 1] is State.RUNNING
    assert [event.error for event in runner.events] == ["", "it does not start", ""]
    assert (runner.left, [event.target for event in runner.undone]) == ([], ["w-1"])


def test_what_can_not_be_undone_is_named() -> None:
    class Dead(Stage):
        def start(self, service: str, number: int) -> None:
            raise AlpesError("it does not start")

    assert play(Dead(("w", 1)), Fault(0.0, (Step("kill", "w"),))).left == ["w-1"]


def test_how_long_the_timeline_may_take() -> None:
    steps = (
        Step("pause", "db", seconds=2.0),
        Step("await", condition="unacknowledged", within=7.0),
        Step("wait", seconds=0.5),
        Step("kill", "w", restart_after=3.0),
    )
    many = (Fault(10.0, steps, repeat=5, every=6.0), Fault(40.0, (Step("kill", "w", restart_after=1.0),)))
    runner = FaultRunner(Stage(), many, lambda _: 0, time.monotonic, PAPER)  # type: ignore[arg-type]
    assert runner.longest() == 10.0 + 24.0 + 12.5
    assert FaultRunner(Stage(), (), lambda _: 0, time.monotonic, PAPER).longest() == 0.0  # type: ignore[arg-type]
