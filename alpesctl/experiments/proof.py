"""The proof: the ledger, the rows with their counters, and the third source, against each other. Pure.

What must be counted: every accepted event, and every event that the topic holds or that the access log
shows as answered with the promise. At most once: events in doubt. Never: refused ones. What must be counted
and has no row is lost once the stack has settled; before that it is not counted yet, unless it is nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from alpesctl.experiments.evidence import (
    LogEntry,
    Row,
    Snapshot,
    TopicRead,
    by_worker,
    movement,
    redelivered,
)
from alpesctl.experiments.ids import as_text
from alpesctl.experiments.ledger import Ledger, Outcome
from alpesctl.experiments.model import OK, REJECTED


@dataclass(frozen=True)
class Evidence:
    """The three sources. `excused`: whether the access log may lack an event, its service being down.

    `over_http` and `must_be_rejected`: whether an event is; without a word, every event of a run with an access log
    goes over HTTP, and none must be rejected. `delivered`: how many messages the broker delivered to the workers
    in the run, None where that is unknown. `settled`: whether nothing was under way any more when rows and counters
    were read."""

    ledger: Ledger
    rows: Sequence[Row]
    before: Snapshot
    after: Snapshot
    topic: TopicRead | None = None
    log: Mapping[bytes, Sequence[LogEntry]] | None = None
    accepted: tuple[int, ...] = (201,)
    excused: Callable[[int], bool] = lambda _: False
    delivered: int | None = None
    settled: bool = True
    over_http: Callable[[int], bool] | None = None
    must_be_rejected: Callable[[int], bool] = lambda _: False


@dataclass(frozen=True)
class Lost:
    """An event that must be counted and isn't; `sent` in Unix seconds, None where a source was not read."""

    id: str
    outcome: str
    sent: float
    in_topic: bool | None
    in_log: bool | None


@dataclass(frozen=True)
class Difference:
    """Counter movement minus row movement: above 0 counted twice, below 0 not counted."""

    day: str
    status: str
    difference: int


@dataclass(frozen=True)
class Findings:
    """Everything that the comparison found, each list by id. Numbers are of events."""

    sent: int
    accepted: int
    refused: int
    in_doubt: int
    unsent: int
    counted: int
    lost: tuple[Lost, ...] = ()
    not_counted_yet: tuple[str, ...] = ()  # must be counted, may still be: the stack had not settled
    duplicated: tuple[str, ...] = ()  # ids with more than one row
    counted_otherwise: tuple[str, ...] = ()  # rejected and must be ok, or the other way round
    differences: tuple[Difference, ...] = ()
    refused_counted: tuple[str, ...] = ()
    in_doubt_counted: tuple[str, ...] = ()
    in_doubt_not_counted: tuple[str, ...] = ()
    not_in_topic: tuple[str, ...] = ()
    not_in_log: tuple[str, ...] = ()
    log_disagrees: tuple[str, ...] = ()
    excused_in_log: int = 0
    published_twice: int = 0
    foreign_in_topic: int = 0
    foreign_in_log: int = 0
    retried: int = 0
    workers: Mapping[str, int] = field(default_factory=dict)
    redelivered: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    surplus_in_topic: int = 0  # messages beyond one an id: a copy is absorbed as a repeated delivery is
    delivered_again: int | None = None  # deliveries that the broker made beyond one a message; None: unknown

    @property
    def lost_total(self) -> int:
        """Events without a row, and rows that their counter does not show."""
        return len(self.lost) + sum(-d.difference for d in self.differences if d.difference < 0)

    @property
    def duplicated_total(self) -> int:
        return len(self.duplicated) + sum(d.difference for d in self.differences if d.difference > 0)

    @property
    def redelivered_total(self) -> int:
        """Messages delivered again, by the broker's count of deliveries; where that is unknown, as workers saw it.

        A message carries no sign that a vanished consumer had it in hand, so workers see only that it was
        counted already; but so was the second copy of what was published twice."""
        if self.delivered_again is not None:
            return self.delivered_again
        marked = sum(again for again, _ in self.redelivered.values())
        absorbed = sum(absorbed for _, absorbed in self.redelivered.values())
        return max(marked, absorbed - self.surplus_in_topic, 0)


def prove(evidence: Evidence) -> Findings:
    """Compare the sources."""
    ledger, topic, log = evidence.ledger, evidence.topic, evidence.log
    numbers = ledger.index()
    rows = Counter((row.id, row.counted_as) for row in evidence.rows if row.id in numbers)
    lost: list[Lost] = []
    counted_total = 0
    otherwise, refused_counted, doubt_counted, doubt_not, yet = _lists(5)
    not_in_topic, not_in_log, disagrees = _lists(3)
    totals = dict.fromkeys(Outcome, 0)
    excused = 0
    for event_id, index in numbers.items():
        entries = log.get(event_id, ()) if log is not None else ()
        outcome = _resolved(Outcome(ledger.outcome[index]), entries)
        totals[outcome] += 1
        wanted, other = (REJECTED, OK) if evidence.must_be_rejected(index) else (OK, REJECTED)
        counted = (event_id, wanted) in rows
        counted_total += counted
        over_http = log is not None if evidence.over_http is None else evidence.over_http(index)
        in_topic = event_id in topic.ids if topic is not None else None
        promised = any(entry.status in evidence.accepted for entry in entries)
        text = as_text(event_id)
        if (event_id, other) in rows:
            otherwise.append(text)
        if not counted and (outcome is Outcome.ACCEPTED or in_topic or promised):
            seen = bool(entries) if over_http and log is not None else None
            if evidence.settled or _gone(in_topic, over_http):
                lost.append(Lost(text, outcome.name.lower(), ledger.sent[index], in_topic, seen))
            else:
                yet.append(text)
        if outcome is Outcome.REFUSED and (counted or in_topic or (event_id, other) in rows):
            refused_counted.append(text)
        if outcome is Outcome.IN_DOUBT:
            (doubt_counted if counted else doubt_not).append(text)
        awaited = not evidence.settled and over_http  # it may yet be published
        if topic is not None and not in_topic and (counted or (outcome is Outcome.ACCEPTED and not awaited)):
            not_in_topic.append(text)
        if log is not None and over_http and outcome is Outcome.ACCEPTED and not promised:
            if entries:
                disagrees.append(text)
            elif evidence.excused(index):
                excused += 1
            else:
                not_in_log.append(text)
    return Findings(
        sent=ledger.sent_count,
        accepted=totals[Outcome.ACCEPTED],
        refused=totals[Outcome.REFUSED],
        in_doubt=totals[Outcome.IN_DOUBT],
        unsent=totals[Outcome.UNSENT],
        counted=counted_total,
        lost=tuple(lost),
        not_counted_yet=tuple(yet),
        duplicated=tuple(as_text(i) for (i, _), n in rows.items() if n > 1),
        counted_otherwise=tuple(otherwise),
        differences=_differences(evidence.before, evidence.after),
        refused_counted=tuple(refused_counted),
        in_doubt_counted=tuple(doubt_counted),
        in_doubt_not_counted=tuple(doubt_not),
        not_in_topic=tuple(not_in_topic),
        not_in_log=tuple(not_in_log),
        log_disagrees=tuple(disagrees),
        excused_in_log=excused,
        published_twice=sum(n > 1 for n in topic.ids.values()) if topic else 0,
        foreign_in_topic=sum(i not in numbers for i in topic.ids) + topic.without_id if topic else 0,
        foreign_in_log=sum(i not in numbers for i in log) if log else 0,
        retried=sum(e.upstreams > 1 for i, es in log.items() if i in numbers for e in es) if log else 0,
        workers=by_worker([row for row in evidence.rows if row.id in numbers]),
        redelivered=redelivered(evidence.before, evidence.after),
        surplus_in_topic=sum(n - 1 for n in topic.ids.values()) if topic else 0,
        delivered_again=_again(evidence),
    )


def _gone(in_topic: bool | None, over_http: bool) -> bool:
    """Whether an event that must be counted can't be any more, though the stack has not settled.

    Over Pulsar the broker's receipt means that the topic holds it: if it doesn't, nothing does. Over HTTP the
    service may have promised it and still hold it itself (an outbox), and a topic that wasn't read says nothing."""
    return in_topic is False and not over_http


def _again(evidence: Evidence) -> int | None:
    if evidence.delivered is None or evidence.topic is None:
        return None
    return max(0, evidence.delivered - evidence.topic.messages)


def _lists(count: int) -> list[list[str]]:
    return [[] for _ in range(count)]


def _resolved(outcome: Outcome, entries: Sequence[LogEntry]) -> Outcome:
    """A refusal holds only where one replica was asked: an earlier one may have published."""
    if outcome is Outcome.REFUSED_IF_ALONE:
        return Outcome.REFUSED if len(entries) == 1 and entries[0].upstreams == 1 else Outcome.IN_DOUBT
    return Outcome.IN_DOUBT if outcome is Outcome.PENDING else outcome


def _differences(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    counters = movement(before.counters, after.counters)
    rows = movement(before.tally, after.tally)
    keys = sorted({*counters, *rows})
    moved = ((day, status, counters.get((day, status), 0) - rows.get((day, status), 0)) for day, status in keys)
    return tuple(Difference(day, status, n) for day, status, n in moved if n)
