"""Errors as problem+json (RFC 9457), with the `error` member that the original's callers read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

MEDIA_TYPE = "application/problem+json"
# By this exact type a caller knows that a refused event is in no topic and no table.
NOTHING_ATTEMPTED = "nothing-attempted"
IN_DOUBT = "in-doubt"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error answer. `kind` is the problem's type; `more` are members beyond RFC 9457's."""

    status: int
    kind: str
    title: str
    detail: str
    more: dict[str, Any] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()

    def members(self) -> dict[str, Any]:
        return {
            "type": self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "error": self.detail,
            **self.more,
        }

    def body(self) -> bytes:
        return json.dumps(self.members()).encode()


def bad_field(what: str, name: str, rule: str, detail: str) -> Problem:
    """400: a member of the body of `what` breaks a rule; "" for the body itself."""
    return Problem(
        400,
        f"invalid-{what}",
        f"The {what} is not valid",
        f"{name} {detail}" if name else detail,
        {"field": name, "rule": rule},
    )


def bad_parameter(name: str, rule: str, detail: str) -> Problem:
    """400: a query parameter breaks a rule."""
    return Problem(
        400,
        "invalid-parameter",
        "The request is not valid",
        f"{name} {detail}",
        {"field": name, "rule": rule},
    )


def too_large(limit: int) -> Problem:
    return Problem(413, "too-large", "The body is too large", f"the body must not exceed {limit} bytes")


def not_json(content_type: str) -> Problem:
    return Problem(
        415,
        "unsupported-media-type",
        "The body's type is not supported",
        f"the body must be application/json, in UTF-8 and not compressed, not {content_type[:100]}",
    )


def nothing_attempted(what: str, why: str) -> Problem:
    """503: `what`, an event or a command, was given to nobody."""
    return Problem(
        503,
        NOTHING_ATTEMPTED,
        f"The {what} was not accepted",
        f"nothing was attempted: {why}; send it again",
        headers=(("retry-after", "1"),),
    )


def key_reused(what: str, detail: str, own_id: dict[str, Any]) -> Problem:
    """409: something else is accepted already under an id."""
    return Problem(
        409,
        "key-reused",
        f"The id is that of another {what}",
        f"{detail} and another body is accepted already; it stays as it is",
        own_id,
    )


def in_doubt(what: str, why: str, again: str, own_id: dict[str, Any]) -> Problem:
    """504: nobody knows, until it is sent `again` under the same id."""
    return Problem(
        504,
        IN_DOUBT,
        f"The {what} may have been accepted",
        f"nobody confirmed it: {why}; send it again with {again}",
        own_id,
        (("retry-after", "1"),),
    )


def database_away() -> Problem:
    return Problem(
        503,
        "database-away",
        "The database does not answer",
        "the database does not answer",
        headers=(("retry-after", "1"),),
    )


def internal() -> Problem:
    """A bug of ours; the log has it."""
    return Problem(500, "internal", "Something went wrong here", "something went wrong; the log says what")
