"""POST /tracking/interactions, the hot path, as a plain ASGI application: no model, no thread, no middleware.

Must not say 201 before the event is durable.
"""

from __future__ import annotations

from typing import Protocol

from services.bodies import read
from services.errors import InDoubt, KeyReused, NothingAttempted, RuleBroken
from services.tracking.adapters.encoding import Command
from services.tracking.api.events import EVENT, read_event
from services.web import problems
from services.web.problems import Problem
from services.web.requests import (
    Receive,
    Refused,
    Scope,
    Send,
    answer,
    idempotency_key,
    read_body,
    refuse,
    request_id,
    send_problem,
)

PATH = "/tracking/interactions"
MAX_BODY = 64 * 1024


class Accepts(Protocol):
    async def accept(self, command: Command, *, named: bool) -> None:
        """Return once the event is durable. Raises NothingAttempted, InDoubt or KeyReused."""
        ...


class Ingest:
    """Takes one event per request."""

    def __init__(self, accepting: Accepts) -> None:
        self._accepting = accepting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            raw = await read_body(headers, receive, MAX_BODY)
            command, named = read_event(read(raw), headers, idempotency_key(headers), request_id(headers))
        except (Refused, RuleBroken) as error:
            await refuse(send, error, EVENT)
            return
        try:
            await self._accepting.accept(command, named=named)
        except (NothingAttempted, InDoubt, KeyReused) as error:
            await send_problem(send, not_accepted(error, command.event.id))
            return
        body = b'{"status":"success","interaction_id":"%b"}' % command.event.id.encode()
        await answer(send, 201, b"application/json", body)


def not_accepted(error: NothingAttempted | InDoubt | KeyReused, event_id: str) -> Problem:
    """What an event's caller is told."""
    own = {"interaction_id": event_id}
    match error:
        case NothingAttempted():
            return problems.nothing_attempted("event", str(error))
        case InDoubt():
            return problems.in_doubt("event", str(error), "the same interaction_id", own)
        case KeyReused():
            return problems.key_reused("event", "an event with this interaction_id or Idempotency-Key", own)
