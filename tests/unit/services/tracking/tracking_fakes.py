"""Fakes of the ports: a message, a store, a publisher. In memory, no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.errors import KeyReused, Unacceptable
from services.tracking.adapters.encoding import Command
from services.tracking.domain.interaction import Interaction, fingerprint
from services.tracking.domain.outcomes import Applied, Batch, InfoRequest, Outcome, Rejected


@dataclass
class FakeMessageId:
    ledger: int = 1
    entry: int = 2
    index: int = 3

    def ledger_id(self) -> int:
        return self.ledger

    def entry_id(self) -> int:
        return self.entry

    def batch_index(self) -> int:
        return self.index


@dataclass
class FakeMessage:
    body: bytes = b""
    named: dict[str, str] | None = field(default_factory=dict)
    key: str | None = "7"
    topic: str = "persistent://public/default/commands.tracking-partition-0"
    at: FakeMessageId = field(default_factory=FakeMessageId)
    published_ms: int = 1_790_000_000_000
    redelivered: int = 0

    def data(self) -> bytes:
        return self.body

    def properties(self) -> dict[str, str]:
        if self.named is None:
            b"\xff".decode()
        return dict(self.named or {})

    def partition_key(self) -> str:
        if self.key is None:
            b"\xff".decode()
        return self.key or ""

    def topic_name(self) -> str:
        return self.topic

    def message_id(self) -> FakeMessageId:
        return self.at

    def publish_timestamp(self) -> int:
        return self.published_ms

    def redelivery_count(self) -> int:
        return self.redelivered


class FakeStore:
    """Counts like the statement does; refuses batches that hold an outcome that `poison` knows."""

    def __init__(self, poison: Callable[[Outcome], bool] = lambda _: False) -> None:
        self.poison = poison
        self.rows: dict[object, Outcome] = {}
        self.batches: list[Batch] = []
        self.redelivered = 0
        # Ids whose row another worker committed while a statement ran: seen by the next one.
        self.unseen: set[str] = set()
        # Requests by their id, with how many interactions were counted before them.
        self.answered: dict[str, tuple[InfoRequest, int]] = {}

    def apply(self, batch: Batch) -> Applied:
        arrived: dict[object, Outcome] = {**batch.interactions, **batch.probes, **batch.rejected}
        if any(self.poison(outcome) for outcome in arrived.values()):
            raise Unacceptable("22P05 unsupported Unicode escape sequence")
        self.batches.append(batch)
        self.redelivered += batch.redelivered
        new = {key: outcome for key, outcome in arrived.items() if key not in self.rows}
        there: dict[str, Interaction | None] = {}
        for key, outcome in self.rows.items():
            if key in batch.interactions and isinstance(outcome, Interaction):
                there[outcome.id] = None if outcome.id in self.unseen else outcome
                self.unseen.discard(outcome.id)
        self.rows |= new
        errors = sum(isinstance(outcome, Rejected) for outcome in new.values())
        return Applied(len(new) - errors, errors, there)

    def build(self, requests: Sequence[InfoRequest]) -> list[str]:
        if any(self.poison(request) for request in requests):
            raise Unacceptable("22P05 unsupported Unicode escape sequence")
        counted = sum(isinstance(outcome, Interaction) for outcome in self.rows.values())
        for request in requests:
            self.answered.setdefault(request.id, (request, counted))
        return [request.id for request in requests if self.answered[request.id][0] != request]


class FakePublisher:
    """Keeps what is published; raises `error` instead where there is one."""

    def __init__(self, error: Exception | None = None, connected: bool = True) -> None:
        self.error = error
        self.connected = connected
        self.doubted = False
        self.sent: list[tuple[bytes, str, dict[str, str]]] = []

    def is_connected(self) -> bool:
        return self.connected

    def is_doubted(self) -> bool:
        return self.doubted

    def trouble(self) -> str | None:
        return None if self.connected else "not connected"

    async def publish(self, body: bytes, key: str, properties: Mapping[str, str], *, probe: bool = False) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((body, key, dict(properties)))


class FakeOutbox:
    """Keeps what is stored, an id once; raises `error` instead where there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.stored: dict[str, Command] = {}
        self.within: list[float] = []

    async def store(self, command: Command, within: float) -> None:
        self.within.append(within)
        if self.error is not None:
            raise self.error
        known = self.stored.setdefault(command.event.id, command)
        if fingerprint(known.event) != fingerprint(command.event):
            raise KeyReused("this id is that of another event")
