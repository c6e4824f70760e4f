"""JSON bodies of messages and requests, and the rules of their members. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from services.errors import RuleBroken
from services.identity import canonical

MAX_TEXT = 255


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Made once: json.loads makes a decoder for each call that names parse_constant.
_JSON = json.JSONDecoder(parse_constant=_no_constant)


def read(raw: bytes) -> Mapping[str, Any]:
    """A JSON object from its bytes. Raises RuleBroken for anything else, NaN and Infinity included."""
    body = read_json(raw)
    if not isinstance(body, dict):
        raise RuleBroken("", "object", "the body must be a JSON object")
    return body


def read_json(raw: bytes) -> Any:
    """What JSON's bytes say. Raises RuleBroken for anything else."""
    try:
        return _JSON.decode(raw.decode())
    except (ValueError, RecursionError):
        raise RuleBroken("", "json", "the body must be JSON") from None


def text(body: Mapping[str, Any], field: str, most: int = MAX_TEXT) -> str:
    """A member that must be a text of 1 to `most` characters which PostgreSQL can store. Raises RuleBroken."""
    value = body.get(field)
    if value is None:
        raise RuleBroken(field, "required", "is required")
    if not isinstance(value, str):
        raise RuleBroken(field, "string", "must be a string")
    if not value or len(value) > most:
        raise RuleBroken(field, "length", f"must have 1 to {most} characters")
    if "\x00" in value:
        raise RuleBroken(field, "characters", "must not contain U+0000")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise RuleBroken(field, "characters", "must not contain a lone surrogate")
    return value


def uuid(body: Mapping[str, Any], field: str) -> str | None:
    """A member that may be absent and must be a UUID, in canonical form. Raises RuleBroken."""
    value = body.get(field)
    if value is None:
        return None
    found = canonical(value) if isinstance(value, str) else None
    if found is None:
        raise RuleBroken(field, "uuid", "must be a UUID")
    return found


def day(body: Mapping[str, Any], field: str) -> date:
    """A member that must be a day, or a moment, of which it is the day in UTC. Raises RuleBroken."""
    value = text(body, field)
    try:
        if len(value) == len("2026-01-31"):
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()
    except (ValueError, OverflowError):
        raise RuleBroken(field, "date", "must be an ISO 8601 date such as 2026-01-31") from None


def payload_of(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is in an envelope. Raises RuleBroken."""
    payload = envelope.get("payload")
    if not isinstance(payload, dict):
        raise RuleBroken("payload", "object", "must be a JSON object")
    return payload
