"""Any set of lost, duplicated or unexpected events is found and named exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpesctl.experiments.evidence import LogEntry, Row, Snapshot, TopicRead
from alpesctl.experiments.ids import as_text, new_ids
from alpesctl.experiments.ledger import Ledger, Outcome
from alpesctl.experiments.proof import Difference, Evidence, prove

DAY = ("2026-11-24", "ok")
COUNT = 60
numbers = st.sets(st.integers(0, COUNT - 1))


def ledger(outcomes: dict[int, Outcome] | None = None) -> Ledger:
    made = Ledger(COUNT, warmup=5)
    for i in range(COUNT):
        made.send(i, float(i), float(i))
        made.answer(i, (outcomes or {}).get(i, Outcome.ACCEPTED), i + 0.5)
    return made


def evidence(made: Ledger, counted: list[int], **changes: object) -> Evidence:
    """Sources that agree, but for `changes`."""
    before = Snapshot({DAY: 100}, {DAY: 100})
    after = Snapshot({DAY: 100 + len(counted)}, {DAY: 100 + len(counted)})
    rows = [Row(made.id(i), i + 0.6, f"w{i % 3}") for i in counted]
    topic = TopicRead({made.id(i): 1 for i in range(COUNT)}, COUNT, 0, 0.1)
    return Evidence(**{"ledger": made, "rows": rows, "before": before, "after": after, "topic": topic, **changes})  # type: ignore[arg-type]


def test_a_clean_run_finds_nothing() -> None:
    made = ledger()
    found = prove(evidence(made, list(range(COUNT))))
    assert (found.accepted, found.counted, found.lost_total, found.duplicated_total) == (COUNT, COUNT, 0, 0)
    assert found.workers == {"w0": 20, "w1": 20, "w2": 20}
    assert not (found.not_in_topic or found.refused_counted or found.in_doubt_counted or found.differences)


@given(lost=numbers)
def test_lost_events_are_named_exactly(lost: set[int]) -> None:
    made = ledger()
    found = prove(evidence(made, [i for i in range(COUNT) if i not in lost]))
    assert {item.id for item in found.lost} == {made.text(i) for i in lost}
    assert found.lost_total == len(lost)
    assert found.duplicated_total == 0


@given(twice=numbers)
def test_duplicated_rows_are_named_exactly(twice: set[int]) -> None:
    made = ledger()
    found = prove(evidence(made, [*range(COUNT), *twice]))
    assert set(found.duplicated) == {made.text(i) for i in twice}
    assert found.lost_total == 0


@given(extra=st.integers(-50, 50))
def test_a_counter_that_leaves_its_rows_is_named_by_day_and_difference(extra: int) -> None:
    made = ledger()
    after = Snapshot({DAY: 100 + COUNT + extra}, {DAY: 100 + COUNT})
    found = prove(evidence(made, list(range(COUNT)), after=after))
    assert found.differences == ((Difference(*DAY, extra),) if extra else ())
    assert (found.duplicated_total, found.lost_total) == (max(extra, 0), max(-extra, 0))


@given(doubt=numbers, published=numbers, dropped=numbers)
def test_in_doubt_is_resolved_by_id(doubt: set[int], published: set[int], dropped: set[int]) -> None:
    """In doubt and in the topic must be counted; in doubt and not there must not have been."""
    made = ledger(dict.fromkeys(doubt, Outcome.IN_DOUBT))
    there = {i for i in range(COUNT) if i not in doubt or i in published}
    counted = there - dropped
    topic = TopicRead({made.id(i): 1 for i in there}, len(there), 0, 0.1)
    found = prove(evidence(made, sorted(counted), topic=topic))
    assert set(found.in_doubt_counted) == {made.text(i) for i in doubt & counted}
    assert set(found.in_doubt_not_counted) == {made.text(i) for i in doubt - counted}
    assert {item.id for item in found.lost} == {made.text(i) for i in there & dropped}
    assert found.not_in_topic == ()


@given(missing=numbers, foreign=st.integers(0, 20))
def test_the_topic_is_compared_both_ways(missing: set[int], foreign: int) -> None:
    made = ledger()
    raw = new_ids(foreign)
    strangers = {bytes(raw[16 * i : 16 * i + 16]): 1 for i in range(foreign)}
    topic = TopicRead({made.id(i): 1 for i in range(COUNT) if i not in missing} | strangers, 0, 0, 0.1)
    found = prove(evidence(made, list(range(COUNT)), topic=topic))
    assert set(found.not_in_topic) == {made.text(i) for i in missing}
    assert found.foreign_in_topic == foreign


@given(refused=numbers, counted=numbers)
def test_refused_is_never_counted(refused: set[int], counted: set[int]) -> None:
    made = ledger(dict.fromkeys(refused, Outcome.REFUSED))
    rows = sorted({i for i in range(COUNT) if i not in refused} | (refused & counted))
    topic = TopicRead({made.id(i): 1 for i in rows}, len(rows), 0, 0.1)
    found = prove(evidence(made, rows, topic=topic))
    assert set(found.refused_counted) == {made.text(i) for i in refused & counted}


def test_published_twice_is_noted_and_harmless() -> None:
    made = ledger()
    topic = TopicRead({made.id(i): 2 if i == 7 else 1 for i in range(COUNT)}, COUNT + 1, 0, 0.1)
    found = prove(evidence(made, list(range(COUNT)), topic=topic))
    assert (found.published_twice, found.lost_total, found.duplicated_total) == (1, 0, 0)


def log_of(made: Ledger) -> dict[bytes, list[LogEntry]]:
    return {made.id(i): [LogEntry(201, 1)] for i in range(COUNT)}


@given(missing=numbers, excused=numbers)
def test_the_access_log_may_lack_only_what_is_excused(missing: set[int], excused: set[int]) -> None:
    made = ledger()
    log = {key: entries for key, entries in log_of(made).items() if key not in {made.id(i) for i in missing}}
    found = prove(evidence(made, list(range(COUNT)), log=log, excused=excused.__contains__))
    assert set(found.not_in_log) == {made.text(i) for i in missing - excused}
    assert found.excused_in_log == len(missing & excused)


def test_a_promise_in_the_access_log_must_be_kept() -> None:
    """The client timed out, nginx passed on a 201: lost, if there is no row."""
    made = ledger({3: Outcome.IN_DOUBT})
    counted = [i for i in range(COUNT) if i != 3]
    topic = TopicRead({made.id(i): 1 for i in counted}, len(counted), 0, 0.1)
    found = prove(evidence(made, counted, topic=topic, log=log_of(made)))
    assert [item.id for item in found.lost] == [made.text(3)]


def test_a_refusal_holds_only_where_one_upstream_was_asked() -> None:
    made = ledger({1: Outcome.REFUSED_IF_ALONE, 2: Outcome.REFUSED_IF_ALONE, 3: Outcome.REFUSED_IF_ALONE})
    log = log_of(made)
    log[made.id(1)] = [LogEntry(503, 1)]
    log[made.id(2)] = [LogEntry(503, 2)]
    del log[made.id(3)]
    counted = [i for i in range(COUNT) if i not in (1, 2, 3)]
    topic = TopicRead({made.id(i): 1 for i in counted}, len(counted), 0, 0.1)
    found = prove(evidence(made, counted, topic=topic, log=log))
    assert found.refused == 1
    assert set(found.in_doubt_not_counted) == {made.text(2), made.text(3)}
    assert found.retried == 1


def test_an_answer_that_the_log_contradicts_is_named() -> None:
    made = ledger()
    log = log_of(made)
    log[made.id(9)] = [LogEntry(504, 1)]
    assert prove(evidence(made, list(range(COUNT)), log=log)).log_disagrees == (as_text(made.id(9)),)


def test_before_all_has_settled_what_the_topic_holds_is_not_lost() -> None:
    made = ledger({4: Outcome.IN_DOUBT})
    counted = [i for i in range(COUNT) if i not in (3, 4, 5)]
    topic = TopicRead({made.id(i): 1 for i in range(COUNT) if i != 5}, COUNT - 1, 0, 0.1)
    found = prove(evidence(made, counted, topic=topic, settled=False))
    assert set(found.not_counted_yet) == {made.text(3), made.text(4)}
    assert [item.id for item in found.lost] == [made.text(5)]  # promised, and nowhere: that can't come any more
    assert prove(evidence(made, counted, topic=topic)).not_counted_yet == ()


def test_before_all_has_settled_a_service_may_still_hold_what_it_promised_over_http() -> None:
    made = ledger()
    counted = list(range(1, COUNT))
    topic = TopicRead({made.id(i): 1 for i in counted}, COUNT - 1, 0, 0.1)
    open_ = prove(evidence(made, counted, topic=topic, log=log_of(made), settled=False))
    assert (open_.not_counted_yet, open_.lost, open_.not_in_topic) == ((made.text(0),), (), ())
    unread = prove(evidence(made, counted, topic=None, settled=False))
    assert (unread.not_counted_yet, unread.lost) == ((made.text(0),), ())


def test_a_counter_without_its_row_is_named_though_nothing_has_settled() -> None:
    made = ledger()
    after = Snapshot({DAY: 100 + COUNT + 2}, {DAY: 100 + COUNT})
    assert prove(evidence(made, list(range(COUNT)), after=after, settled=False)).duplicated_total == 2


@pytest.mark.parametrize(
    ("delivered", "deliveries", "redelivered"),
    [
        (COUNT + 3, {"w0": (0, 9)}, 0),  # the broker knows: three deliveries more, for three copies
        (COUNT + 5, {"w0": (0, 9)}, 2),
        (None, {"w0": (0, 3)}, 0),  # absorbed, because it was published twice
        (None, {"w0": (0, 2), "w1": (0, 3)}, 2),
        (None, {"w0": (4, 3)}, 4),  # marked as delivered again
        (None, {"w0": (0, 1)}, 0),
    ],
)
def test_what_was_published_twice_was_not_delivered_again(
    delivered: int | None, deliveries: dict[str, tuple[int, int]], redelivered: int
) -> None:
    made = ledger()
    topic = TopicRead({made.id(i): 4 if i == 7 else 1 for i in range(COUNT)}, COUNT + 3, 0, 0.1)
    after = Snapshot({DAY: 100 + COUNT}, {DAY: 100 + COUNT}, deliveries)
    found = prove(evidence(made, list(range(COUNT)), topic=topic, after=after, delivered=delivered))
    assert found.redelivered_total == redelivered


REJECTED_ONES = frozenset(range(20, 30))


@given(lost=numbers, otherwise=numbers)
def test_what_must_be_rejected_is_counted_as_that_and_as_nothing_else(lost: set[int], otherwise: set[int]) -> None:
    made = ledger()
    rows = [
        Row(made.id(i), i + 0.6, "w", "rejected" if (i in REJECTED_ONES) != (i in otherwise) else "ok")
        for i in range(COUNT)
        if i not in lost
    ]
    found = prove(evidence(made, [], rows=rows, must_be_rejected=REJECTED_ONES.__contains__))
    assert set(found.counted_otherwise) == {made.text(i) for i in otherwise - lost}
    assert {item.id for item in found.lost} == {made.text(i) for i in lost | otherwise}
    assert found.counted == COUNT - len(lost | otherwise)


def test_only_what_goes_over_http_must_be_in_the_access_log() -> None:
    made = ledger()
    log = {made.id(i): [LogEntry(201, 1)] for i in range(30)}
    found = prove(evidence(made, list(range(COUNT)), log=log, over_http=lambda i: i < 31))
    assert found.not_in_log == (made.text(30),)
