"""The kinds of bad messages as data: what is sent, and what the dead letter's reason must say. Sends nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

NAMED = {"name": "TrackInteraction"}
EVENT: dict[str, Any] = {
    "interaction_id": "046e7f49-31d1-46f5-a17f-568f962340e1",
    "interaction_type": "click",
    "target_element_id": "123",
    "target_element_type": "button",
    "campaign_id": "123",
}


@dataclass(frozen=True)
class Poison:
    """One kind. Each message of it is counted once as `error`, with a dead letter whose reason is `reason`."""

    kind: str
    reason: str
    body: bytes
    properties: dict[str, str]


def _of(kind: str, reason: str, body: bytes | None = None, name: str = "TrackInteraction", **members: Any) -> Poison:
    """Sent as `body`, else as a sound event with some members altered; what is altered to `...` is left out."""
    event = {key: value for key, value in {**EVENT, **members}.items() if value is not ...}
    return Poison(kind, reason, json.dumps(event).encode() if body is None else body, {"name": name})


_MONEY = {"interaction_type": "conversion", "currency": "EUR"}

KINDS = (
    _of("unknown name", "unknown name 'DeleteEverything'", name="DeleteEverything"),
    _of("empty name", "unknown name ''", name=""),
    _of("not JSON", "the body must be JSON", b"no json"),
    _of("empty body", "the body must be JSON", b""),
    _of("truncated", "the body must be JSON", json.dumps(EVENT).encode()[:-1]),
    _of("not UTF-8", "the body must be JSON", b'{"campaign_id":"\xff\xfe\x80"}'),
    _of("UTF-16", "the body must be JSON", json.dumps(EVENT).encode("utf-16")),
    _of("NaN", "the body must be JSON", b'{"amount":NaN}'),
    _of("deep nesting", "the body must be JSON", b"[" * 100_000),
    _of("integer of many digits", "the body must be JSON", b'{"amount":' + b"9" * 100_000 + b"}"),
    _of("not an object", "the body must be a JSON object", b"[1, 2]"),
    _of("no id", "interaction_id: is required", interaction_id=...),
    _of("bad id", "interaction_id: must be a UUID", interaction_id="seven"),
    _of("id of another type", "interaction_id: must be a UUID", interaction_id=7),
    _of("missing field", "campaign_id: is required", campaign_id=...),
    _of("null field", "target_element_id: is required", target_element_id=None),
    _of("wrong type", "target_element_type: must be a string", target_element_type=["button"]),
    _of("empty field", "campaign_id: must have 1 to 255 characters", campaign_id=""),
    _of("long field", "campaign_id: must have 1 to 255 characters", campaign_id="x" * 256),
    _of("unknown type", "interaction_type: must be one of click, conversion, like, view", interaction_type="stare"),
    _of("U+0000", "campaign_id: must not contain U+0000", campaign_id="a\x00b"),
    _of("lone surrogate", "campaign_id: must not contain a lone surrogate", campaign_id="\ud800"),
    _of("negative amount", "amount: must lie between 0 and 9223372036854775807", amount=-1, **_MONEY),
    _of("oversized integer", "amount: must lie between 0 and 9223372036854775807", amount=2**63, **_MONEY),
    _of("fraction", "amount: must be an integer, in minor units of the currency", amount=19.99, **_MONEY),
    _of("no currency", "currency: is required for a conversion", interaction_type="conversion", amount=1),
    _of("amount of a click", "amount: belongs to a conversion only", amount=1),
    _of("the year 20000", "timestamp: must be an ISO 8601 time", timestamp="20000-01-01T00:00:00Z"),
    _of("before 1970", "timestamp: must not lie before 1970", timestamp="1969-12-31T23:59:59Z"),
    _of("no time at all", "timestamp: must be an ISO 8601 time", timestamp="yesterday"),
)
