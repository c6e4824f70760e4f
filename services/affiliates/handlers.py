"""What commands and events do, each in effect once: its id is remembered in the transaction of its effect.

Must know neither Pulsar nor SQL: both come in through protocols.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from services.affiliates.domain.commands import (
    CalculateCost,
    CreateAffiliate,
    CreatePost,
    InteractionsInfoBuilt,
    SetStatus,
)
from services.affiliates.domain.cost import Cost, cost
from services.affiliates.messages import Incoming, Outgoing, in_saga, letter
from services.errors import Refuses, Unacceptable


class Seen(Enum):
    """What is known of an id: nothing until now, the same, or another thing."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Post:
    """Of a post, what its cost needs."""

    affiliate_id: str
    brand_id: str


@dataclass(frozen=True, slots=True)
class Calculated:
    """A calculation that is done now."""

    post_id: str
    affiliate_id: str
    brand_id: str
    correlation_id: str
    calculated_at: str


class Transaction(Protocol):
    """One transaction of the store. What it raises rolls all of it back."""

    def remember(self, incoming: Incoming) -> Seen: ...
    def note_refusal(self, message_id: str, reason: str) -> None: ...
    def send(self, message: Outgoing) -> None: ...
    def add_affiliate(self, affiliate_id: str, command: CreateAffiliate, incoming: Incoming) -> bool:
        """Whether it was added: its e-mail address is nobody else's."""
        ...

    def set_status(self, affiliate_id: str, status: str) -> bool: ...
    def has_affiliate(self, affiliate_id: str) -> bool: ...
    def add_post(self, post_id: str, command: CreatePost) -> None: ...
    def post(self, post_id: str) -> Post | None: ...
    def add_calculation(self, command: CalculateCost, correlation_id: str) -> None: ...
    def calculated(self, saga_id: str, found: Cost) -> Calculated | None:
        """The calculation, done now; None where there is none that waits."""
        ...


class Store(Protocol):
    def transaction(self) -> AbstractContextManager[Transaction]:
        """Committed once the block ends. Raises Unacceptable for what can't be stored, Refuses if the store must be
        mended first; other errors are the store's own, and pass."""
        ...


class Outcome(Enum):
    """What became of a message."""

    DONE = "done"
    REFUSED = "refused"
    ABSORBED = "absorbed"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Handled:
    """A message, what became of it, and why it was refused."""

    incoming: Incoming
    outcome: Outcome
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """Where what is sent goes: full names."""

    events: str
    tracking_commands: str


def handle(store: Store, batch: Sequence[Incoming], topics: Topics) -> list[Handled]:
    """Have the messages take effect, in their order, once each; return what became of them.

    Normally one transaction. If something in it is unacceptable, each has one of its own, and what is to blame is
    refused.
    """
    try:
        with store.transaction() as transaction:
            return [_one(transaction, incoming, topics) for incoming in batch]
    except Unacceptable:
        return [_alone(store, incoming, topics) for incoming in batch]


def _alone(store: Store, incoming: Incoming, topics: Topics) -> Handled:
    try:
        with store.transaction() as transaction:
            return _one(transaction, incoming, topics)
    except Unacceptable as error:
        refused = incoming.because(f"the database refuses it: {error}")
    try:
        with store.transaction() as transaction:
            return _one(transaction, refused, topics)
    except Unacceptable as error:
        raise Refuses(f"the database refuses even a dead letter: {error}") from error


def _one(transaction: Transaction, incoming: Incoming, topics: Topics) -> Handled:
    if incoming.command is None and incoming.refusal is None:
        return Handled(incoming, Outcome.IGNORED)
    match transaction.remember(incoming):
        case Seen.SAME:
            return Handled(incoming, Outcome.ABSORBED)
        case Seen.OTHER:
            refused = incoming.because(incoming.refusal or "its id is there already, with another content")
            if incoming.refusal is not None and refused.id == incoming.id:
                # What came from its place is done: somebody published its letter again, corrected.
                return Handled(incoming, Outcome.ABSORBED)
            return _one(transaction, refused, topics)
    reason = incoming.refusal or _perform(transaction, incoming, topics)
    if reason is None:
        return Handled(incoming, Outcome.DONE)
    if reason is NOT_OURS:
        return Handled(incoming, Outcome.IGNORED)
    transaction.note_refusal(incoming.id, reason)
    transaction.send(letter(incoming, reason))
    return Handled(incoming, Outcome.REFUSED, reason)


NOT_OURS = "not ours"
"""The reason of what is neither done nor refused: somebody else asked the tracking service, too."""


def _perform(transaction: Transaction, incoming: Incoming, topics: Topics) -> str | None:
    """Carry a command out; return why not, None if it is done."""
    match incoming.command:
        case CreateAffiliate() as command:
            if not transaction.add_affiliate(incoming.id, command, incoming):
                return "email: is another affiliate's"
        case SetStatus(affiliate_id, status):
            if not transaction.set_status(affiliate_id, status):
                return "affiliate_id: there is no such affiliate"
        case CreatePost() as command:
            if not transaction.has_affiliate(command.affiliate_id):
                return "affiliate_id: there is no such affiliate"
            transaction.add_post(incoming.id, command)
        case CalculateCost() as command:
            return _ask(transaction, command, incoming.correlation_id, topics)
        case InteractionsInfoBuilt() as event:
            return _calculate(transaction, event, topics)
        case None:
            raise AssertionError("a refused message is not carried out")
    return None


def _ask(transaction: Transaction, command: CalculateCost, correlation_id: str, topics: Topics) -> str | None:
    post = transaction.post(command.post_id)
    if post is None:
        return "post_id: there is no such post"
    transaction.add_calculation(command, correlation_id)
    payload = {
        "post_id": command.post_id,
        "start_date": command.start_date.isoformat(),
        "end_date": command.end_date.isoformat(),
    }
    name = "BuildInteractionsInfo"
    transaction.send(
        in_saga(name, command.saga_id, correlation_id, topics.tracking_commands, post.affiliate_id, payload)
    )
    return None


def _calculate(transaction: Transaction, event: InteractionsInfoBuilt, topics: Topics) -> str | None:
    found = cost(event.total_interactions)
    done = transaction.calculated(event.saga_id, found)
    if done is None:
        return NOT_OURS
    payload = {
        "post_id": done.post_id,
        "brand_id": done.brand_id,
        "affiliate_id": done.affiliate_id,
        # Decimals as text: a JSON number becomes a float in most readers.
        "base_cost": str(found.base_cost),
        "interactions_count": found.interactions_count,
        "interaction_cost": str(found.interaction_cost),
        "interaction_total_cost": str(found.interaction_total_cost),
        "engagement_multiplier": str(found.engagement_multiplier),
        "total_cost": str(found.total_cost),
        "calculated_at": done.calculated_at,
    }
    transaction.send(
        in_saga("CostCalculated", event.saga_id, done.correlation_id, topics.events, done.affiliate_id, payload)
    )
    return None
