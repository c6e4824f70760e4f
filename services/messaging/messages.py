"""What we read of a Pulsar message, whatever it says, and what we write of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from services.identity import position_id


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


class Sent(NamedTuple):
    """A message as it is published."""

    key: str
    properties: Mapping[str, str]
    body: bytes


def published(message: Message) -> datetime:
    """When the broker's client published the message, in UTC; a clock that can't be right reads as 1970."""
    try:
        return datetime.fromtimestamp(message.publish_timestamp() / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def place(message: Message) -> str:
    """The id that a message has by its position."""
    at = message.message_id()
    return position_id(
        message.topic_name(), at.ledger_id(), at.entry_id(), at.batch_index(), message.publish_timestamp()
    )


def properties_of(message: Message) -> Mapping[str, str]:
    """A message's properties, none where they can't be read."""
    try:
        return message.properties()
    except UnicodeDecodeError:
        return {}


def key_of(message: Message) -> str:
    """A message's key, "" where it has none or can't be read."""
    try:
        return message.partition_key()
    except UnicodeDecodeError:
        return ""
