"""A fake of the store: in memory, with transactions that roll back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from services.affiliates.domain.commands import CalculateCost, CreateAffiliate, CreatePost
from services.affiliates.domain.cost import Cost
from services.affiliates.handlers import Calculated, Post, Seen
from services.affiliates.messages import Incoming, Outgoing
from services.errors import Unacceptable


@dataclass
class Tables:
    inbox: dict[str, tuple[str, str | None, int]] = field(default_factory=dict)
    outbox: list[Outgoing] = field(default_factory=list)
    affiliates: dict[str, list[str]] = field(default_factory=dict)
    posts: dict[str, CreatePost] = field(default_factory=dict)
    costs: dict[str, tuple[CalculateCost, str, Cost | None]] = field(default_factory=dict)


class FakeStore:
    """Refuses what `poison` knows, as the database does; `transactions` counts those that were begun."""

    def __init__(self, poison: Callable[[Incoming], bool] = lambda _: False) -> None:
        self.tables = Tables()
        self.poison = poison
        self.transactions = 0

    @contextmanager
    def transaction(self) -> Iterator[FakeTransaction]:
        self.transactions += 1
        before = copy.deepcopy(self.tables.__dict__)
        try:
            yield FakeTransaction(self.tables, self.poison)
        except BaseException:
            self.tables.__dict__.update(before)
            raise


class FakeTransaction:
    def __init__(self, tables: Tables, poison: Callable[[Incoming], bool]) -> None:
        self._tables = tables
        self._poison = poison

    def remember(self, incoming: Incoming) -> Seen:
        if self._poison(incoming):
            raise Unacceptable("22P05 UntranslatableCharacter")
        there = self._tables.inbox.get(incoming.id)
        if there is None or (there[1] is not None and there[2] < incoming.generation):
            self._tables.inbox[incoming.id] = (incoming.fingerprint, None, incoming.generation)
            return Seen.NEW
        return Seen.SAME if there[0] == incoming.fingerprint else Seen.OTHER

    def note_refusal(self, message_id: str, reason: str) -> None:
        says, _, generation = self._tables.inbox[message_id]
        self._tables.inbox[message_id] = (says, reason, generation)

    def send(self, message: Outgoing) -> None:
        self._tables.outbox.append(message)

    def add_affiliate(self, affiliate_id: str, command: CreateAffiliate, _incoming: Incoming) -> bool:
        if any(email == command.email for email, _ in self._tables.affiliates.values()):
            return False
        self._tables.affiliates[affiliate_id] = [command.email, "pending"]
        return True

    def set_status(self, affiliate_id: str, status: str) -> bool:
        if affiliate_id not in self._tables.affiliates:
            return False
        self._tables.affiliates[affiliate_id][1] = status
        return True

    def has_affiliate(self, affiliate_id: str) -> bool:
        return affiliate_id in self._tables.affiliates

    def add_post(self, post_id: str, command: CreatePost) -> None:
        self._tables.posts[post_id] = command

    def post(self, post_id: str) -> Post | None:
        found = self._tables.posts.get(post_id)
        return Post(found.affiliate_id, found.brand_id) if found else None

    def add_calculation(self, command: CalculateCost, correlation_id: str) -> None:
        self._tables.costs[command.saga_id] = (command, correlation_id, None)

    def calculated(self, saga_id: str, found: Cost) -> Calculated | None:
        command, correlation_id, done = self._tables.costs.get(saga_id, (None, "", None))
        if command is None or done is not None:
            return None
        self._tables.costs[saga_id] = (command, correlation_id, found)
        post: Any = self._tables.posts[command.post_id]
        at = "2026-11-26T00:00:00+00:00"
        return Calculated(command.post_id, post.affiliate_id, post.brand_id, correlation_id, at)
