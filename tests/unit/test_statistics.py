"""What two readings make: how fast was counted, and which backlog grows."""

from __future__ import annotations

from alpesctl.stack.model import StatsSource
from alpesctl.statistics import Counted, Rates, Reading, Waiting, rates

SOURCE = StatsSource("By day", "http://web:80/stats", ("day", "status", "count"))


def reading(at: float, counts: list[int] | None, backlog: int | None) -> Reading:
    items = [{"day": "2026-11-24", "status": str(n), "count": count} for n, count in enumerate(counts or ())]
    waits = [Waiting("orders", 1, "shop", "Shared", backlog, 1)] if backlog is not None else []
    return Reading(at, [Counted(SOURCE, items)] if counts is not None else [], waits)


def test_rates_are_differences_a_second() -> None:
    found = rates(reading(10.0, [100, 5], 50), reading(12.0, [300, 5], 20))
    assert found == Rates({"By day": 100.0}, {("orders", "shop"): -15.0})


def test_what_was_away_in_either_reading_has_no_rate() -> None:
    assert rates(reading(0.0, None, None), reading(1.0, [7], 7)) == Rates({}, {})
    assert rates(reading(0.0, [7], 7), reading(1.0, None, None)) == Rates({}, {})


def test_a_first_reading_has_no_rate() -> None:
    first = reading(5.0, [7], 7)
    assert rates(first, first) == Rates({}, {})
