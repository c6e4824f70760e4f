"""Counts batches of outcomes: sorts them, has them stored as one, singles out what can't be stored.

Must know neither Pulsar nor SQL: both come in through protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from services.tracking.domain.errors import Unacceptable
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Batch, Outcome, Probe, Rejected


class Store(Protocol):
    """Where batches are counted, each in one transaction of its own."""

    def apply(self, batch: Batch) -> int:
        """Store what is new and count it; return how many outcomes were new.

        Raises Unacceptable if what is in the batch can't be stored, Refuses if the store must be mended first;
        other errors are the store's own, and pass.
        """
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
    return Batch(len(outcomes), redelivered, interactions, probes, rejected)


def count(store: Store, outcomes: Sequence[Outcome], redelivered: int, reject: Reject) -> int:
    """Have the outcomes stored and counted; return how many were new.

    Normally one transaction. If something in it is unacceptable, halves are tried, down to the culprit,
    which becomes a dead letter.
    """
    return _count(store, outcomes, redelivered, reject, 0)


def _count(store: Store, outcomes: Sequence[Outcome], redelivered: int, reject: Reject, offset: int) -> int:
    try:
        return store.apply(sort(outcomes, redelivered))
    except Unacceptable as error:
        if len(outcomes) == 1:
            return store.apply(sort([reject(offset, f"the database refuses it: {error}")], redelivered))
    middle = len(outcomes) // 2
    # The broker's redeliveries are noted once, with the first half.
    return _count(store, outcomes[:middle], redelivered, reject, offset) + _count(
        store, outcomes[middle:], 0, reject, offset + middle
    )
