"""What the two endpoints that accept events share: the event in a body, and the command that has it counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.identity import derive_id
from services.tracking.adapters.encoding import Command, command
from services.tracking.domain.interaction import own_id, parse
from services.web.requests import Headers, correlation_of

# What a body should have been, in problems.
EVENT = "interaction"


def read_event(body: Mapping[str, Any], headers: Headers, key: str, request: str) -> tuple[Command, bool]:
    """The command of the event that a body describes, and whether its caller named it. Raises RuleBroken."""
    own = own_id(body)
    event = parse(body, derive_id(own, key, request), datetime.now(UTC))
    return command(event, correlation_of(headers) or event.id), bool(own or key)
