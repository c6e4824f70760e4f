"""Interactions to commands, as they are published. Must decide nothing about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from services.identity import bucket
from services.tracking.adapters.decoding import STAMPED, TRACK
from services.tracking.domain.interaction import Interaction


class Command(NamedTuple):
    """An event, and the message that has it counted."""

    event: Interaction
    key: str
    properties: Mapping[str, str]
    body: bytes


def command(event: Interaction, correlation_id: str) -> Command:
    """The TrackInteraction command of an event."""
    properties = {"name": TRACK, "commandId": event.id, "correlationId": correlation_id}
    if not event.timestamp_given:
        properties[STAMPED] = "true"
    return Command(event, bucket(event.id), properties, encode(event))


def encode(event: Interaction) -> bytes:
    """The command's body, in ASCII: the event's fields, flat, with its id and its time."""
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
