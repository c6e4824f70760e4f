"""An interaction and the rules that it obeys. One parser for both entrances, HTTP and Pulsar."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.bodies import text, uuid
from services.errors import RuleBroken

TYPES = frozenset({"click", "view", "like", "conversion"})
MAX_AMOUNT = 2**63 - 1
FIRST_YEAR = 1970


@dataclass(frozen=True, slots=True)
class Interaction:
    """Something a visitor did. `id` is canonical, `timestamp` in UTC, `amount` in minor units.

    `timestamp_given` is whether the caller named the time, rather than the service.
    """

    id: str
    interaction_type: str
    target_element_id: str
    target_element_type: str
    campaign_id: str
    timestamp: datetime
    amount: int | None = None
    currency: str | None = None
    timestamp_given: bool = True


def own_id(body: Mapping[str, Any]) -> str | None:
    """The id that the caller gave the event, in canonical form; None where it gave none."""
    return uuid(body, "interaction_id")


def parse(body: Mapping[str, Any], event_id: str, now: datetime, *, stamped: bool = False) -> Interaction:
    """The interaction that a body describes; `now` (UTC) is its time if it names none. `stamped` is whether the
    service, not the caller, wrote the body's time.

    Raises RuleBroken for the first rule that the body breaks. Members that we don't know are ignored.
    """
    kind = text(body, "interaction_type")
    if kind not in TYPES:
        raise RuleBroken("interaction_type", "choice", f"must be one of {', '.join(sorted(TYPES))}")
    amount, currency = _money(body, kind)
    timestamp = body.get("timestamp")
    return Interaction(
        event_id,
        kind,
        text(body, "target_element_id"),
        text(body, "target_element_type"),
        text(body, "campaign_id"),
        _time(timestamp, now),
        amount,
        currency,
        timestamp is not None and not stamped,
    )


def fingerprint(event: Interaction) -> str:
    """What two bodies under one id share if they say the same, in 32 hexadecimal digits. The id isn't in it, nor
    a time that the service gave: it differs between two calls of the same caller."""
    members = (
        event.interaction_type,
        event.target_element_id,
        event.target_element_type,
        event.campaign_id,
        event.timestamp.isoformat() if event.timestamp_given else "",
        "" if event.amount is None else str(event.amount),
        event.currency or "",
    )
    # No member holds U+0000: so no two different events are written alike.
    return hashlib.blake2b("\x00".join(members).encode(), digest_size=16).hexdigest()


def _time(value: Any, now: datetime) -> datetime:
    if value is None:
        return now
    if not isinstance(value, str):
        raise RuleBroken("timestamp", "string", "must be a string with an ISO 8601 time")
    try:
        # fromisoformat overlooks a U+0000 at the end.
        moment = datetime.fromisoformat(value.replace("\x00", "?"))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RuleBroken("timestamp", "time", "must be an ISO 8601 time") from None
    if moment.year < FIRST_YEAR:
        raise RuleBroken("timestamp", "range", f"must not lie before {FIRST_YEAR}")
    return moment


def _money(body: Mapping[str, Any], kind: str) -> tuple[int | None, str | None]:
    amount, currency = body.get("amount"), body.get("currency")
    if kind != "conversion":
        for field, value in (("amount", amount), ("currency", currency)):
            if value is not None:
                raise RuleBroken(field, "conversion", "belongs to a conversion only")
        return None, None
    if amount is None:
        raise RuleBroken("amount", "required", "is required for a conversion")
    if type(amount) is not int:
        raise RuleBroken("amount", "integer", "must be an integer, in minor units of the currency")
    if not 0 <= amount <= MAX_AMOUNT:
        raise RuleBroken("amount", "range", f"must lie between 0 and {MAX_AMOUNT}")
    if currency is None:
        raise RuleBroken("currency", "required", "is required for a conversion")
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise RuleBroken("currency", "currency", "must be an ISO 4217 code such as EUR")
    if not currency.isalpha():
        raise RuleBroken("currency", "currency", "must be an ISO 4217 code such as EUR")
    return amount, currency
