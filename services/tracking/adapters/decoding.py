"""Pulsar messages to outcomes: an interaction, a probe, or what is wrong with it.

Must not raise for anything that a message can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.bodies import day, payload_of, read, text, uuid
from services.errors import RuleBroken
from services.identity import canonical
from services.messaging.letters import identity
from services.messaging.messages import Message, key_of, place, properties_of, published
from services.tracking.domain.interaction import own_id, parse
from services.tracking.domain.outcomes import InfoRequest, Outcome, Probe, Rejected

TRACK, BUILD_INFO = "TrackInteraction", "BuildInteractionsInfo"
MAX_CORRELATION = 128
# The property of a command whose time is the service's, not its caller's.
STAMPED = "timestampStamped"


def decode(message: Message) -> Outcome:
    """What the message turned out to be."""
    try:
        properties = message.properties()
    except UnicodeDecodeError:
        return reject(message, "a property is not UTF-8")
    name = properties.get("name")
    if name is None:
        letter_id, generation = identity(message, properties)
        return Probe(letter_id, generation, published(message).date())
    if name not in (TRACK, BUILD_INFO):
        return reject(message, f"unknown name {name[:100]!r}")
    try:
        body = read(message.data())
        if name == BUILD_INFO:
            return _info_request(message, properties, body)
        event_id = own_id(body)
        if event_id is None:
            raise RuleBroken("interaction_id", "required", "is required")
        return parse(body, event_id, published(message), stamped=STAMPED in properties)
    except RuleBroken as broken:
        return reject(message, str(broken))


def _info_request(message: Message, properties: Mapping[str, str], envelope: Mapping[str, Any]) -> InfoRequest:
    own = uuid(envelope, "msg_id") or canonical(properties.get("commandId", "")) or place(message)
    saga, payload = text(envelope, "saga_id"), payload_of(envelope)
    post, first, last = text(payload, "post_id"), day(payload, "start_date"), day(payload, "end_date")
    if last < first:
        raise RuleBroken("end_date", "order", "must not lie before start_date")
    correlation = properties.get("correlationId", "")[:MAX_CORRELATION] or own
    return InfoRequest(own, saga, correlation, key_of(message), post, first, last)


def reject(message: Message, reason: str) -> Rejected:
    """The dead letter of a message, as it came."""
    properties = properties_of(message)
    letter_id, generation = identity(message, properties)
    return Rejected(
        letter_id,
        generation,
        published(message).date(),
        reason,
        message.topic_name(),
        key_of(message),
        properties,
        message.data(),
    )
