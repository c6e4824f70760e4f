"""Envelopes: the bodies of commands and events that belong to a saga."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

SCHEMA_VERSION = 1


def message_id(source: str, name: str) -> str:
    """The id of the message with a name that follows from another one: the same however often that comes."""
    return str(uuid5(NAMESPACE_URL, f"alpes:{source}/{name}"))


def envelope(name: str, msg_id: str, saga_id: str, payload: Mapping[str, Any]) -> bytes:
    """The body of a message, in ASCII."""
    members = {
        "msg_id": msg_id,
        "saga_id": saga_id,
        "type": name,
        "occurred_at": datetime.now(UTC).isoformat(),
        "payload": payload,
        "headers": {"schema_version": SCHEMA_VERSION},
    }
    return json.dumps(members).encode()
