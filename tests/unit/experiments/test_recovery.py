"""How long recovery took: from what was disturbed, in the windows between the hits."""

from collections.abc import Collection

import pytest

from alpesctl.experiments.faults import FaultEvent
from alpesctl.experiments.ledger import Ledger, Outcome
from alpesctl.experiments.recovery import Recovery, recoveries

START = 1_000.0
RATE = 10.0


def made(
    *events: FaultEvent, late: Collection[int] = (), refused: Collection[int] = (), count: int = 200
) -> list[Recovery]:
    """Ten events a second for 20 s; those in `late` are counted 3 s after they were due, the others after 0.01 s."""
    ledger = Ledger(count)
    commits = {}
    for i in range(count):
        due = START + i / RATE
        ledger.send(i, due, due)
        ledger.answer(i, Outcome.REFUSED if i in refused else Outcome.ACCEPTED, due + 0.001)
        if i not in refused:
            commits[ledger.id(i)] = due + (3.0 if i in late else 0.01)
    return recoveries(["a", "b"], events, ledger, commits, START, 1.0)


def hit(at: float, turn: int, lifted: float) -> tuple[FaultEvent, FaultEvent]:
    return (
        FaultEvent(START + at, START + at, "pause", "w-1", turn=turn),
        FaultEvent(START + lifted, START + lifted, "unpause", "w-1", turn=turn),
    )


def test_without_a_disturbed_event_recovery_took_no_time() -> None:
    assert made(*hit(5.0, 0, 7.0)) == [Recovery("a", 5.0, 2.0, 0.0, 0, 0, 0)]


def test_recovery_is_at_the_last_disturbed_event() -> None:
    (found,) = made(*hit(5.0, 0, 7.0), late=range(50, 85), refused={60})
    assert (found.recovered, found.disturbed, found.refused) == (3.4, 35, 1)
    assert found.after_lift == pytest.approx(1.4)


def test_each_turn_has_its_own_events() -> None:
    first, second = made(*hit(5.0, 0, 6.0), *hit(10.0, 1, 11.0), late=[52, 105])
    assert (first.fault, first.recovered, first.disturbed) == ("a", 0.2, 1)
    assert (second.fault, second.recovered, second.disturbed) == ("b", 0.5, 1)


def test_an_event_on_its_way_at_the_hit_is_the_hits() -> None:
    first, second = made(*hit(5.0, 0, 6.0), *hit(10.0, 1, 11.0), late=[95])
    assert (first.disturbed, second.disturbed, second.recovered) == (0, 1, 0.0)


def test_what_goes_on_until_the_next_hit_has_not_recovered() -> None:
    first, _ = made(*hit(5.0, 0, 6.0), *hit(10.0, 1, 11.0), late=range(50, 88))
    assert (first.recovered, first.after_lift) == (None, None)


def test_a_fault_that_did_not_happen_has_no_recovery() -> None:
    assert made(FaultEvent(START + 5, START + 5, "kill", "w-1", "it was down already")) == []


def test_a_fault_that_was_not_lifted_recovers_from_its_hit() -> None:
    (found,) = made(hit(5.0, 0, 0)[0], late=[60])
    assert (found.lifted, found.after_lift) == (None, 1.0)
