"""A request's body within its limit, the ids that its headers name, an answer.

Must know neither the broker nor the database.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import structlog

from services.errors import RuleBroken
from services.identity import MAX_KEY_LENGTH
from services.web import problems
from services.web.problems import Problem

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
    if len(body) > limit:
        raise Refused(problems.too_large(limit))
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
        raise Refused(problems.bad_field("request", "", "complete", "the body is not complete"))
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


def correlation_of(headers: Headers) -> str:
    """The id by which a request is found in every log: its caller's, else the proxy's, else ""."""
    return (headers.get(b"x-correlation-id") or headers.get(b"x-alpes-request-id") or b"").decode("latin-1")[:128]


def problem_of(error: Refused | RuleBroken, what: str) -> Problem:
    """`what` is the name of what the body should have been."""
    if isinstance(error, Refused):
        return error.problem
    return problems.bad_field(what, error.field, error.rule, error.detail)


async def refuse(send: Send, error: Refused | RuleBroken, what: str) -> None:
    """Answer with what is wrong with the request, and leave a line of it: by rule and field, never by value."""
    problem = problem_of(error, what)
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
