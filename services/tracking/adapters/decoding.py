"""Pulsar messages to outcomes: an interaction, a probe, or what is wrong with it.

Must not raise for anything that a message can hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from services.tracking.domain.errors import RuleBroken
from services.tracking.domain.identity import canonical, position_id
from services.tracking.domain.interaction import own_id, parse
from services.tracking.domain.outcomes import Outcome, Probe, Rejected

TRACK = "TrackInteraction"
# The property of a command whose time is the service's, not its caller's.
STAMPED = "timestampStamped"
# A dead letter that is published again carries these, so that it is judged, and counted, once more.
LETTER_ID, LETTER_GENERATION = "deadLetterId", "deadLetterGeneration"
_MAX_GENERATION = 2**31 - 1


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Made once: json.loads makes a decoder for each call that names parse_constant.
_JSON = json.JSONDecoder(parse_constant=_no_constant)


class MessageId(Protocol):
    def ledger_id(self) -> int: ...
    def entry_id(self) -> int: ...
    def batch_index(self) -> int: ...


class Message(Protocol):
    """What we read of pulsar.Message."""

    def data(self) -> bytes: ...
    def properties(self) -> dict[str, str]: ...
    def partition_key(self) -> str: ...
    def topic_name(self) -> str: ...
    def message_id(self) -> MessageId: ...
    def publish_timestamp(self) -> int: ...
    def redelivery_count(self) -> int: ...


def decode(message: Message) -> Outcome:
    """What the message turned out to be."""
    try:
        properties = message.properties()
    except UnicodeDecodeError:
        return reject(message, "a property is not UTF-8")
    name = properties.get("name")
    if name is None:
        letter_id, generation = _identity(message, properties)
        return Probe(letter_id, generation, published(message).date())
    if name != TRACK:
        return reject(message, f"unknown name {name[:100]!r}")
    try:
        body = read(message.data())
        event_id = own_id(body)
        if event_id is None:
            raise RuleBroken("interaction_id", "required", "is required")
        return parse(body, event_id, published(message), stamped=STAMPED in properties)
    except RuleBroken as broken:
        return reject(message, str(broken))


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


def reject(message: Message, reason: str) -> Rejected:
    """The dead letter of a message, as it came."""
    try:
        properties = message.properties()
    except UnicodeDecodeError:
        properties = {}
    try:
        key = message.partition_key()
    except UnicodeDecodeError:
        key = ""
    letter_id, generation = _identity(message, properties)
    return Rejected(
        letter_id,
        generation,
        published(message).date(),
        reason,
        message.topic_name(),
        key,
        properties,
        message.data(),
    )


def published(message: Message) -> datetime:
    """When the broker's client published the message, in UTC; a clock that can't be right reads as 1970."""
    try:
        return datetime.fromtimestamp(message.publish_timestamp() / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _identity(message: Message, properties: Mapping[str, str]) -> tuple[str, int]:
    generation = properties.get(LETTER_GENERATION, "")
    if generation.isascii() and generation.isdecimal() and len(generation) <= 10:
        letter_id = canonical(properties.get(LETTER_ID, ""))
        if letter_id is not None and int(generation) <= _MAX_GENERATION:
            return letter_id, int(generation)
    at = message.message_id()
    return (
        position_id(
            message.topic_name(),
            at.ledger_id(),
            at.entry_id(),
            at.batch_index(),
            message.publish_timestamp(),
        ),
        0,
    )
