"""POST /tracking/interactions/batch: up to MAX_EVENTS events in one request, one answer for each, in order.

Each event is accepted by itself, as if it had come alone. Must not say of any that it is accepted before it is durable.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from services.bodies import read_json
from services.errors import InDoubt, KeyReused, NothingAttempted, RuleBroken
from services.identity import placed
from services.tracking.api.events import EVENT, read_event
from services.tracking.api.ingest import Accepts, not_accepted
from services.web import problems
from services.web.problems import Problem
from services.web.requests import (
    Headers,
    Receive,
    Refused,
    Scope,
    Send,
    answer,
    idempotency_key,
    problem_of,
    read_body,
    refuse,
    request_id,
    send_problem,
)

PATH = "/tracking/interactions/batch"
MAX_BODY = 2 * 1024 * 1024
MAX_EVENTS = 1000


class Batch:
    """Takes many events per request."""

    def __init__(self, accepting: Accepts) -> None:
        self._accepting = accepting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            bodies = _events(await read_body(headers, receive, MAX_BODY))
            key = idempotency_key(headers)
        except (Refused, RuleBroken) as error:
            await refuse(send, error, EVENT)
            return
        request = request_id(headers)
        found = await asyncio.gather(
            *(
                # An event without an id of its own has one by its place: the same if the request comes again.
                self._one(body, headers, key and placed(key, place), request and placed(request, place))
                for place, body in enumerate(bodies)
            )
        )
        refused = [problem for problem in found if isinstance(problem, Problem)]
        if len(refused) == len(found) and all(problem.kind == problems.NOTHING_ATTEMPTED for problem in refused):
            await send_problem(send, refused[0])
            return
        results = [one.members() if isinstance(one, Problem) else one for one in found]
        await answer(send, 200 if refused else 201, b"application/json", json.dumps({"results": results}).encode())

    async def _one(self, body: object, headers: Headers, key: str, request: str) -> Mapping[str, Any] | Problem:
        try:
            if not isinstance(body, dict):
                raise RuleBroken("", "object", "an event must be a JSON object")
            command, named = read_event(body, headers, key, request)
        except RuleBroken as broken:
            return problem_of(broken, EVENT)
        try:
            await self._accepting.accept(command, named=named)
        except (NothingAttempted, InDoubt, KeyReused) as error:
            return not_accepted(error, command.event.id)
        return {"status": "success", "interaction_id": command.event.id}


def _events(raw: bytes) -> list[Any]:
    events = read_json(raw)
    if not isinstance(events, list):
        raise RuleBroken("", "list", "the body must be a JSON list of events")
    if not 1 <= len(events) <= MAX_EVENTS:
        raise RuleBroken("", "length", f"the list must have 1 to {MAX_EVENTS} events")
    return events
