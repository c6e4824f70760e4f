"""Counts batches of outcomes: sorts them, has them stored as one, singles out what can't be stored.

Must know neither Pulsar nor SQL: both come in through protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.errors import Refuses, Unacceptable
from services.tracking.domain.interaction import Interaction, fingerprint
from services.tracking.domain.outcomes import Applied, Batch, InfoRequest, Outcome, Probe, Rejected

DIFFERENT = "interaction_id: is there already, with another content"
OTHER_REQUEST = "msg_id: is there already, with another content"


@dataclass(slots=True)
class Counted:
    """What was new in a batch: numbers by status, the dead letters among it; and how many requests it had."""

    ok: int = 0
    errors: int = 0
    requests: int = 0
    letters: list[Rejected] = field(default_factory=list)

    def add(self, batch: Batch, applied: Applied) -> None:
        self.ok += applied.ok
        self.errors += applied.errors
        if applied.errors:
            self.letters += batch.rejected.values()


class Store(Protocol):
    """Where batches are counted, each in one transaction of its own."""

    def apply(self, batch: Batch) -> Applied:
        """Store what is new and count it; tell what was new, and what stood there already.

        Raises Unacceptable if what is in the batch can't be stored, Refuses if the store must be mended first;
        other errors are the store's own, and pass.
        """
        ...

    def build(self, requests: Sequence[InfoRequest]) -> Sequence[str]:
        """Store the answers to requests, each once; return the ids under which another request stands. Raises as
        `apply` does."""
        ...


Reject = Callable[[int, str], Rejected]
"""Makes the dead letter of the message at an index of the batch, for a reason."""


def sort(outcomes: Sequence[Outcome], redelivered: int = 0) -> Batch:
    """The outcomes by kind; of several with one id, the first stays."""
    interactions: dict[str, Interaction] = {}
    probes: dict[tuple[str, int], Probe] = {}
    rejected: dict[tuple[str, int], Rejected] = {}
    for outcome in outcomes:
        match outcome:
            case Interaction():
                interactions.setdefault(outcome.id, outcome)
            case Probe():
                probes.setdefault((outcome.id, outcome.generation), outcome)
            case Rejected():
                rejected.setdefault((outcome.id, outcome.generation), outcome)
            case InfoRequest():
                raise TypeError("a request is not counted")
    return Batch(len(outcomes), redelivered, interactions, probes, rejected)


def count(store: Store, outcomes: Sequence[Outcome], redelivered: int, reject: Reject) -> Counted:
    """Have the outcomes stored and counted; tell what was new.

    Normally one transaction. If something in it is unacceptable, halves are tried, down to the culprit,
    which becomes a dead letter. So does, in a transaction that follows, what came under an id that stands for
    something else: nothing is acknowledged before, so that it comes again if this one ends in between.
    """
    counted = Counted()
    items = [(index, outcome) for index, outcome in enumerate(outcomes) if not isinstance(outcome, InfoRequest)]
    if items or redelivered:
        _count(store, items, redelivered, reject, counted)
    if len(items) < len(outcomes):
        # After what came before them is counted.
        requests = [(index, one) for index, one in enumerate(outcomes) if isinstance(one, InfoRequest)]
        counted.requests = len(requests)
        _build(store, requests, reject, counted)
    return counted


Items = Sequence[tuple[int, Outcome]]
"""Outcomes with their places in the batch that came in."""


def _count(store: Store, items: Items, redelivered: int, reject: Reject, counted: Counted) -> None:
    batch = sort([outcome for _, outcome in items], redelivered)
    try:
        applied = store.apply(batch)
    except Unacceptable as error:
        if len(items) == 1:
            _keep(store, items[0], redelivered, reject, counted, error)
            return
        middle = len(items) // 2
        # The broker's redeliveries are noted once, with the first half.
        _count(store, items[:middle], redelivered, reject, counted)
        _count(store, items[middle:], 0, reject, counted)
        return
    counted.add(batch, applied)
    if applied.there or batch.distinct < batch.messages:
        _compare(store, items, batch, applied, reject, counted)


def _build(store: Store, requests: Sequence[tuple[int, InfoRequest]], reject: Reject, counted: Counted) -> None:
    try:
        others = frozenset(store.build([request for _, request in requests]))
        letters: list[tuple[int, Outcome]] = [
            (index, reject(index, OTHER_REQUEST)) for index, request in requests if request.id in others
        ]
    except Unacceptable as error:
        if len(requests) > 1:
            for request in requests:
                _build(store, [request], reject, counted)
            return
        letters = [(index, reject(index, f"the database refuses it: {error}")) for index, _ in requests]
    if letters:
        _count(store, letters, 0, reject, counted)


def _compare(store: Store, items: Items, batch: Batch, applied: Applied, reject: Reject, counted: Counted) -> None:
    """What came under an id that was there before, or twice in the batch, is absorbed if it says the same, becomes
    a dead letter if not, and is tried again where what stands there can't be seen yet."""
    again: list[tuple[int, Outcome]] = []
    for index, outcome in items:
        if isinstance(outcome, Interaction):
            stands = applied.there.get(outcome.id, batch.interactions[outcome.id])
            if stands is None:
                again.append((index, outcome))
            elif stands is not outcome and fingerprint(stands) != fingerprint(outcome):
                again.append((index, reject(index, DIFFERENT)))
    if again:
        _count(store, again, 0, reject, counted)


def _keep(
    store: Store, item: tuple[int, Outcome], redelivered: int, reject: Reject, counted: Counted, error: Unacceptable
) -> None:
    """Have what the store refuses kept as a dead letter, and a dead letter that it refuses as a bare one."""
    index, outcome = item
    letter = outcome if isinstance(outcome, Rejected) else reject(index, f"the database refuses it: {error}")
    if letter is not outcome:
        batch = sort([letter], redelivered)
        try:
            counted.add(batch, store.apply(batch))
            return
        except Unacceptable as again:
            error = again
    batch = sort([letter.bare(str(error))], redelivered)
    try:
        counted.add(batch, store.apply(batch))
    except Unacceptable as last:
        raise Refuses(f"the database refuses even a bare dead letter: {last}") from last
