"""Commands and events by name: their members and the rules that those obey. One parser for HTTP and Pulsar."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any

from services.bodies import day, payload_of, text, uuid
from services.errors import RuleBroken

MAX_CONTENT = 65_536
ACTIVE, PENDING, SUSPENDED = "active", "pending", "suspended"
MAX_INTERACTIONS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CreateAffiliate:
    """Its id is the affiliate's."""

    name: str
    email: str
    program_id: str


@dataclass(frozen=True, slots=True)
class SetStatus:
    """An affiliate becomes active or suspended."""

    affiliate_id: str
    status: str


@dataclass(frozen=True, slots=True)
class CreatePost:
    """Its id is the post's."""

    title: str
    content: str
    affiliate_id: str
    brand_id: str


@dataclass(frozen=True, slots=True)
class CalculateCost:
    """What a post costs by its interactions from one day to another, both included. The saga's id is the
    calculation's."""

    saga_id: str
    post_id: str
    start_date: date
    end_date: date


@dataclass(frozen=True, slots=True)
class InteractionsInfoBuilt:
    """The tracking service's answer: how many interactions a saga's post had."""

    saga_id: str
    post_id: str
    total_interactions: int


Command = CreateAffiliate | SetStatus | CreatePost | CalculateCost | InteractionsInfoBuilt


def create_affiliate(body: Mapping[str, Any]) -> CreateAffiliate:
    """From its flat body. Raises RuleBroken, as all of these do."""
    name, email, program = text(body, "name"), text(body, "email"), text(body, "program_id")
    local, at, domain = email.rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in email):
        raise RuleBroken("email", "email", "must be an e-mail address")
    return CreateAffiliate(name, email, program)


def activate(body: Mapping[str, Any]) -> SetStatus:
    return SetStatus(_id(body, "affiliate_id"), ACTIVE)


def suspend(body: Mapping[str, Any]) -> SetStatus:
    return SetStatus(_id(body, "affiliate_id"), SUSPENDED)


def create_post(body: Mapping[str, Any]) -> CreatePost:
    title, content = text(body, "title"), text(body, "content", MAX_CONTENT)
    return CreatePost(title, content, _id(body, "affiliate_id"), text(body, "brand_id"))


def calculate_cost(envelope: Mapping[str, Any]) -> CalculateCost:
    """From its envelope."""
    return calculation(_id(envelope, "saga_id"), payload_of(envelope))


def calculation(saga_id: str, payload: Mapping[str, Any]) -> CalculateCost:
    """From an envelope's payload, or the body of a request that has the post's id added."""
    first, last = day(payload, "start_date"), day(payload, "end_date")
    if last < first:
        raise RuleBroken("end_date", "order", "must not lie before start_date")
    return CalculateCost(saga_id, _id(payload, "post_id"), first, last)


def interactions_info_built(envelope: Mapping[str, Any]) -> InteractionsInfoBuilt:
    """From its envelope."""
    payload = payload_of(envelope)
    total = payload.get("total_interactions")
    if type(total) is not int or not 0 <= total <= MAX_INTERACTIONS:
        raise RuleBroken("total_interactions", "integer", "must be an integer of at least 0")
    return InteractionsInfoBuilt(_id(envelope, "saga_id"), text(payload, "post_id"), total)


COMMANDS: Mapping[str, Callable[[Mapping[str, Any]], Command]] = {
    "CreateAffiliate": create_affiliate,
    "ActivateAffiliate": activate,
    "SuspendAffiliate": suspend,
    "CreatePost": create_post,
    "CalculateCost": calculate_cost,
}
"""By the name that a message carries, on commands.affiliates."""

EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Command]] = {"InteractionsInfoBuilt": interactions_info_built}
"""By the name that a message carries, on events.tracking; other events there are somebody else's."""


def fingerprint(name: str, command: Command) -> str:
    """What two messages under one id share if they say the same, in 32 hexadecimal digits."""
    parts = (name, *(str(member) for member in astuple(command)))
    return hashlib.blake2b("\x00".join(parts).encode(), digest_size=16).hexdigest()


def _id(body: Mapping[str, Any], field: str) -> str:
    found = uuid(body, field)
    if found is None:
        raise RuleBroken(field, "required", "is required")
    return found
