"""Pulsar messages to commands and events, and back. Must not raise for anything that a message can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.affiliates.domain.commands import (
    COMMANDS,
    EVENTS,
    CalculateCost,
    Command,
    CreateAffiliate,
    CreatePost,
    SetStatus,
    fingerprint,
)
from services.bodies import read, text
from services.errors import RuleBroken
from services.identity import derive_id
from services.messaging.envelope import envelope, message_id
from services.messaging.letters import LETTER_GENERATION, LETTER_ID, LETTER_REASON, LETTER_TOPIC, MAX_REASON, identity
from services.messaging.messages import Message, key_of, place, properties_of, published
from services.messaging.topics import dead_letters_of

MAX_CORRELATION = 128


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that waits in the outbox. `id` is that of the command or event."""

    id: str
    fingerprint: str
    topic: str
    key: str
    properties: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it was understood: `command`, or why there is none (`refusal`), or neither for what is not ours.

    `id` is the sender's, or that of the message's place where it gave none.
    """

    id: str
    name: str
    fingerprint: str
    correlation_id: str
    at: datetime
    message: Message
    command: Command | None = None
    refusal: str | None = None
    generation: int = 0

    def because(self, refusal: str) -> Incoming:
        """The same message, refused, under its id as a letter: its own is another one's, or can't be stored. What was
        refused under that already is refused under the id of its place."""
        at, generation = identity(self.message, properties_of(self.message))
        if self.refusal is not None and at == self.id:
            at, generation = place(self.message), 0
        return replace(self, id=at, fingerprint=at, command=None, refusal=refusal, generation=generation)


def decode(message: Message, events_topic: str) -> Incoming:
    """What a message turned out to be. `events_topic` is the full name of the tracking service's events."""
    try:
        properties = message.properties()
    except UnicodeDecodeError:
        return _refused(message, "", "", "a property is not UTF-8")
    name = properties.get("name", "")
    correlation = properties.get("correlationId", "")[:MAX_CORRELATION]
    of_tracking = is_partition_of(message.topic_name(), events_topic)
    parse = (EVENTS if of_tracking else COMMANDS).get(name)
    if parse is None:
        if of_tracking:
            return Incoming(place(message), name, "", correlation, published(message), message)
        return _refused(message, name, correlation, f"unknown name {name[:100]!r}" if name else "there is no name")
    try:
        body = read(message.data())
        command = parse(body)
        given = _given(properties, body, command)
    except RuleBroken as broken:
        return _refused(message, name, correlation, str(broken))
    at, generation = identity(message, properties)
    own = derive_id(None, given, None) if given else at
    says = fingerprint(name, command)
    return Incoming(own, name, says, correlation or own, published(message), message, command, None, generation)


def is_partition_of(topic: str, whole: str) -> bool:
    """Whether a topic is the other one, or a partition of it."""
    return topic == whole or topic.rpartition("-partition-")[0] == whole


def letter(incoming: Incoming, reason: str) -> Outgoing:
    """The dead letter of a message, as it came."""
    message = incoming.message
    properties = properties_of(message)
    topic = message.topic_name()
    whole = topic.rpartition("-partition-")[0] or topic
    # Without a command, its id is the letter's already, or that of its place.
    refused_before = incoming.command is None
    letter_id, generation = (incoming.id, incoming.generation) if refused_before else identity(message, properties)
    about = {
        LETTER_ID: letter_id,
        LETTER_GENERATION: str(generation),
        LETTER_TOPIC: topic,
        LETTER_REASON: reason[:MAX_REASON],
    }
    return Outgoing(
        letter_id, letter_id, dead_letters_of(whole), key_of(message), {**properties, **about}, message.data()
    )


def outgoing(name: str, command: Command, command_id: str, correlation_id: str, topic: str, key: str) -> Outgoing:
    """A command that this service's API sends to itself."""
    properties = {"name": name, "commandId": command_id, "correlationId": correlation_id}
    return Outgoing(command_id, fingerprint(name, command), topic, key, properties, _body(name, command, command_id))


def _body(name: str, command: Command, command_id: str) -> bytes:
    match command:
        case CreateAffiliate(who, email, program):
            members: Mapping[str, Any] = {"name": who, "email": email, "program_id": program}
        case SetStatus(affiliate_id, _):
            members = {"affiliate_id": affiliate_id}
        case CreatePost(title, content, affiliate_id, brand):
            members = {"title": title, "content": content, "affiliate_id": affiliate_id, "brand_id": brand}
        case CalculateCost(saga_id, post_id, first, last):
            payload = {"post_id": post_id, "start_date": first.isoformat(), "end_date": last.isoformat()}
            return envelope(name, command_id, saga_id, payload)
        case _:
            raise TypeError(f"{name} is not sent over HTTP")
    return json.dumps(members).encode()


def in_saga(name: str, saga_id: str, correlation_id: str, topic: str, key: str, payload: Mapping[str, Any]) -> Outgoing:
    """A saga's next message; its id follows from the saga's, so that it is the same however often it is sent."""
    msg_id = message_id(saga_id, name)
    properties = {"name": name, "commandId": msg_id, "correlationId": correlation_id}
    return Outgoing(msg_id, msg_id, topic, key, properties, envelope(name, msg_id, saga_id, payload))


def _refused(message: Message, name: str, correlation: str, refusal: str) -> Incoming:
    at, generation = identity(message, properties_of(message))
    return Incoming(at, name, at, correlation or at, published(message), message, None, refusal, generation)


def _given(properties: Mapping[str, str], body: Mapping[str, Any], command: Command) -> str:
    """The id that its sender gave a command, "" for none. Raises RuleBroken."""
    if isinstance(command, CalculateCost):
        return command.saga_id
    own = properties.get("commandId")
    return own or (text(body, "msg_id") if body.get("msg_id") else "")
