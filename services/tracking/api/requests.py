"""What the two endpoints that accept events share: a request's body within its limit, the event in it, an answer.

Must know neither the broker nor the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog

from services.tracking.adapters.encoding import Command, command
from services.tracking.api import problems
from services.tracking.api.problems import Problem
from services.tracking.domain.errors import RuleBroken
from services.tracking.domain.identity import MAX_KEY_LENGTH, derive_id
from services.tracking.domain.interaction import own_id, parse

# curl -d and navigator.sendBeacon name these, whatever they send.
_JSON_TYPES = frozenset({b"application/json", b"", b"application/x-www-form-urlencoded", b"text/plain"})

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Headers = Mapping[bytes, bytes]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Refused(Exception):
    """The request ends with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


async def read_body(headers: Headers, receive: Receive, limit: int) -> bytes:
    """The body, of at most `limit` bytes. Raises Refused for what is too large, incomplete or no JSON by its type."""
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
    if length.isdigit() and int(length) > limit:
        raise Refused(problems.too_large(limit))
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        pieces, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            piece: bytes = message.get("body", b"")
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise Refused(problems.too_large(limit))
        body = b"".join(pieces)
    if message["type"] == "http.disconnect":
        raise Refused(problems.bad_field("", "complete", "the body is not complete"))
    return body


def idempotency_key(headers: Headers) -> str:
    """The caller's Idempotency-Key, "" if it sent none. Raises RuleBroken."""
    key = headers.get(b"idempotency-key", b"").decode("latin-1")
    if len(key) > MAX_KEY_LENGTH:
        raise RuleBroken("Idempotency-Key", "length", f"must not exceed {MAX_KEY_LENGTH} characters")
    return key


def request_id(headers: Headers) -> str:
    """The id that the proxy gave the request, "" if there was none."""
    return headers.get(b"x-alpes-request-id", b"").decode("latin-1")


def read_event(body: Mapping[str, Any], headers: Headers, key: str, request: str) -> tuple[Command, bool]:
    """The command of the event that a body describes, and whether its caller named it. Raises RuleBroken."""
    own = own_id(body)
    event = parse(body, derive_id(own, key, request), datetime.now(UTC))
    return command(event, correlation_of(headers) or event.id), bool(own or key)


def correlation_of(headers: Headers) -> str:
    """The id by which a request is found in every log: its caller's, else the proxy's, else ""."""
    return (headers.get(b"x-correlation-id") or headers.get(b"x-alpes-request-id") or b"").decode("latin-1")[:128]


def problem_of(error: Refused | RuleBroken) -> Problem:
    return error.problem if isinstance(error, Refused) else problems.bad_field(error.field, error.rule, error.detail)


async def refuse(send: Send, error: Refused | RuleBroken) -> None:
    """Answer with what is wrong with the request, and leave a line of it: by rule and field, never by value."""
    problem = problem_of(error)
    rule, field = problem.more.get("rule"), problem.more.get("field")
    log.info("request refused", status=problem.status, problem=problem.kind, rule=rule, field=field)
    await send_problem(send, problem)


async def send_problem(send: Send, problem: Problem) -> None:
    more = [(name.encode(), value.encode()) for name, value in problem.headers]
    await answer(send, problem.status, problems.MEDIA_TYPE.encode(), problem.body(), more)


async def answer(
    send: Send, status: int, media_type: bytes, body: bytes, more: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode()), *(more or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
