"""An open schedule's arithmetic, and when a generator is said to have missed it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpesctl.experiments.schedule import Schedule, punctuality


@given(rate=st.floats(0.1, 100_000), count=st.integers(1, 5_000), index=st.integers(0, 4_999))
def test_an_event_is_due_at_its_time_and_not_before(rate: float, count: int, index: int) -> None:
    schedule = Schedule(1_000.0, rate, count)
    index %= count
    due = schedule.due(index)
    assert due == pytest.approx(1_000.0 + index / rate)
    assert schedule.due_by(due + 1e-6) >= index + 1
    assert schedule.due_by(due - 1.01 / rate) <= index


def test_nothing_is_due_before_the_start_and_all_at_the_end() -> None:
    schedule = Schedule(10.0, 2.0, 5)
    assert [schedule.due_by(t) for t in (9.9, 10.0, 10.4, 10.5, 12.0, 99.0)] == [0, 1, 1, 2, 5, 5]


def test_a_burst_is_due_at_once() -> None:
    assert Schedule(10.0, 0.0, 7).due_by(10.0) == 7


def test_one_percent_late_is_kept_and_more_is_not() -> None:
    due = [float(i) for i in range(100)]
    sent = [d + 0.1 for d in due]
    sent[40] += 0.5
    assert punctuality(due, sent).kept
    sent[41] += 0.5
    found = punctuality(due, sent)
    assert (found.late, found.kept) == (2, False)
    assert found.worst == pytest.approx(0.6)
    assert found.span == pytest.approx(99.0)


def test_an_event_that_was_never_sent_is_late() -> None:
    found = punctuality([1.0, 2.0], [1.0, 0.0])
    assert (found.late, found.worst, found.kept) == (1, 0.0, False)
