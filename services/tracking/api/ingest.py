"""POST /tracking/interactions, the hot path, as a plain ASGI application: no model, no thread, no middleware.

Must not say 201 before the broker's receipt.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from services.tracking.adapters.decoding import TRACK, read
from services.tracking.adapters.publisher import InDoubt, NothingAttempted
from services.tracking.api import problems
from services.tracking.api.problems import Problem
from services.tracking.domain.errors import RuleBroken
from services.tracking.domain.identity import MAX_KEY_LENGTH, bucket, derive_id
from services.tracking.domain.interaction import Interaction, own_id, parse

PATH = "/tracking/interactions"
MAX_BODY = 64 * 1024
# curl -d and navigator.sendBeacon name these, whatever they send.
_JSON_TYPES = frozenset({b"application/json", b"", b"application/x-www-form-urlencoded", b"text/plain"})

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Publishes(Protocol):
    async def publish(self, body: bytes, key: str, properties: Mapping[str, str]) -> None: ...


class Refused(Exception):
    """The request ends with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class Ingest:
    """Takes one event per request."""

    def __init__(self, publisher: Publishes) -> None:
        self._publisher = publisher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            event = _event(await _body(headers, receive), headers)
            key, properties = _envelope(event, headers)
            await self._publisher.publish(encode(event), key, properties)
        except Refused as refused:
            await _problem(send, refused.problem)
        except NothingAttempted as error:
            await _problem(send, problems.nothing_attempted(str(error)))
        except InDoubt as error:
            await _problem(send, problems.in_doubt(str(error), event.id))
        except Exception:
            # The boundary: a caller gets a problem for our bugs, too.
            log.exception("unexpected")
            await _problem(send, problems.internal())
        else:
            answer = b'{"status":"success","interaction_id":"%b"}' % event.id.encode()
            await _answer(send, 201, b"application/json", answer)


def encode(event: Interaction) -> bytes:
    """The TrackInteraction command's body: the event's fields, flat, with its id and its time."""
    members: dict[str, Any] = {
        "interaction_id": event.id,
        "interaction_type": event.interaction_type,
        "target_element_id": event.target_element_id,
        "target_element_type": event.target_element_type,
        "campaign_id": event.campaign_id,
        "timestamp": event.timestamp.isoformat(),
    }
    if event.amount is not None:
        members["amount"] = event.amount
        members["currency"] = event.currency
    return json.dumps(members).encode()


async def _body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    content_type = headers.get(b"content-type", b"")
    kind, _, parameter = content_type.partition(b";")
    kind = kind.strip().lower()
    if kind not in _JSON_TYPES and not (kind.startswith(b"application/") and kind.endswith(b"+json")):
        raise Refused(problems.not_json(content_type.decode("latin-1")))
    charset = parameter.lower().partition(b"charset=")[2].strip(b' "')
    if charset and charset not in (b"utf-8", b"utf8", b"us-ascii"):
        raise Refused(problems.not_json(content_type.decode("latin-1")))
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding.lower() != b"identity":
        raise Refused(problems.not_json(f"one with Content-Encoding {encoding.decode('latin-1')}"))
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > MAX_BODY:
        raise Refused(problems.too_large(MAX_BODY))
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise Refused(problems.too_large(MAX_BODY))
    if message["type"] == "http.disconnect":
        raise Refused(problems.bad_field("", "complete", "the body is not complete"))
    return body


def _event(raw: bytes, headers: Mapping[bytes, bytes]) -> Interaction:
    try:
        key = headers.get(b"idempotency-key", b"").decode("latin-1")
        if len(key) > MAX_KEY_LENGTH:
            raise RuleBroken("Idempotency-Key", "length", f"must not exceed {MAX_KEY_LENGTH} characters")
        body = read(raw)
        request_id = headers.get(b"x-alpes-request-id", b"").decode("latin-1")
        return parse(body, derive_id(own_id(body), key, request_id), datetime.now(UTC))
    except RuleBroken as broken:
        raise Refused(problems.bad_field(broken.field, broken.rule, broken.detail)) from None


def _envelope(event: Interaction, headers: Mapping[bytes, bytes]) -> tuple[str, dict[str, str]]:
    correlation = headers.get(b"x-correlation-id") or headers.get(b"x-alpes-request-id")
    correlation_id = correlation.decode("latin-1")[:128] if correlation else event.id
    return bucket(event.id), {"name": TRACK, "commandId": event.id, "correlationId": correlation_id}


async def _problem(send: Send, problem: Problem) -> None:
    more = [(name.encode(), value.encode()) for name, value in problem.headers]
    await _answer(send, problem.status, problems.MEDIA_TYPE.encode(), problem.body(), more)


async def _answer(
    send: Send, status: int, media_type: bytes, body: bytes, more: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode()), *(more or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
