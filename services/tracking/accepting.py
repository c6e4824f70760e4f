"""Accepts events: to the broker first, into the outbox where the broker is away.

Must know neither Pulsar nor SQL; must never end without an error before the event is durable.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from services.errors import InDoubt, KeyReused, NothingAttempted
from services.tracking.adapters.encoding import Command
from services.tracking.domain.interaction import fingerprint
from services.tracking.domain.recent import Recent

# Less than nginx waits. What the broker doesn't take of it is left for the outbox: a database whose disk stalls for a
# second or two must cost no event.
ANSWER_S = 4.0


class Publishes(Protocol):
    async def publish(self, body: bytes, key: str, properties: Mapping[str, str]) -> None:
        """Return with the broker's receipt. Raises NothingAttempted or InDoubt."""
        ...


class Stores(Protocol):
    async def store(self, command: Command, within: float) -> None:
        """Return once the command is committed. Raises NothingAttempted, InDoubt or KeyReused, within that many
        seconds."""
        ...


class Accepting:
    """Accepts one event at a time, any number of them at once."""

    def __init__(self, broker: Publishes, outbox: Stores, recent: Recent) -> None:
        self._broker = broker
        self._outbox = outbox
        self._recent = recent

    async def accept(self, command: Command, *, named: bool) -> None:
        """Return once the event is durable. `named` is whether its caller chose the id, and so may use it again.

        Raises NothingAttempted, InDoubt or KeyReused. All within ANSWER_S.
        """
        if not named:
            await self._durably(command)
            return
        event_id, says = command.event.id, fingerprint(command.event)
        known = self._recent.get(event_id)
        if known is None:
            self._recent.put(event_id, says)
        elif known != says:
            raise KeyReused("this id is that of another event")
        try:
            await self._durably(command)
        except (NothingAttempted, KeyReused):
            if known is None:
                self._recent.forget(event_id)
            raise

    async def _durably(self, command: Command) -> None:
        away: NothingAttempted | InDoubt
        end = time.monotonic() + ANSWER_S
        try:
            await self._broker.publish(command.body, command.key, command.properties)
            return
        except (NothingAttempted, InDoubt) as error:
            away = error
        try:
            # Under the same id: should the broker have it after all, the second one is absorbed.
            await self._outbox.store(command, end - time.monotonic())
        except (NothingAttempted, KeyReused) as error:
            if isinstance(away, InDoubt):
                raise InDoubt(f"{away}; {error}") from error
            if isinstance(error, KeyReused):
                raise
            raise NothingAttempted(f"{away}; {error}") from error
