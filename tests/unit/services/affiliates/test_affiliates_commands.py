"""The rules that commands obey, whichever way they come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from services.affiliates.domain.commands import (
    COMMANDS,
    EVENTS,
    MAX_CONTENT,
    CalculateCost,
    CreateAffiliate,
    CreatePost,
    InteractionsInfoBuilt,
    SetStatus,
    fingerprint,
)
from services.errors import RuleBroken

ID, OTHER = "0b7a8a7e-0000-4000-8000-000000000001", "0b7a8a7e-0000-4000-8000-000000000002"
AFFILIATE = {"name": "Ana", "email": "ana@example.org", "program_id": "p"}
POST = {"title": "t", "content": "c", "affiliate_id": ID, "brand_id": "b"}
DAYS = {"post_id": ID, "start_date": "2026-11-01", "end_date": "2026-11-30"}
SAGA: dict[str, Any] = {"msg_id": OTHER, "saga_id": OTHER, "payload": DAYS}
INFO: dict[str, Any] = {"saga_id": OTHER, "payload": {"post_id": ID, "total_interactions": 12}}


@pytest.mark.parametrize(
    ("name", "body", "command"),
    [
        ("CreateAffiliate", AFFILIATE, CreateAffiliate("Ana", "ana@example.org", "p")),
        ("ActivateAffiliate", {"affiliate_id": ID}, SetStatus(ID, "active")),
        ("SuspendAffiliate", {"affiliate_id": ID.upper()}, SetStatus(ID, "suspended")),
        ("CreatePost", POST, CreatePost("t", "c", ID, "b")),
        ("CalculateCost", SAGA, CalculateCost(OTHER, ID, date(2026, 11, 1), date(2026, 11, 30))),
        (
            "CalculateCost",
            {**SAGA, "payload": {**DAYS, "start_date": "2026-11-01T23:30:00-05:00"}},
            CalculateCost(OTHER, ID, date(2026, 11, 2), date(2026, 11, 30)),
        ),
    ],
)
def test_what_is_right_is_read(name: str, body: Mapping[str, Any], command: object) -> None:
    assert COMMANDS[name](body) == command


def test_the_answer_of_tracking_is_read() -> None:
    assert EVENTS["InteractionsInfoBuilt"](INFO) == InteractionsInfoBuilt(OTHER, ID, 12)


def of(body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}


def of_saga(**changes: Any) -> dict[str, Any]:
    return {**SAGA, "payload": of(DAYS, **changes)}


@pytest.mark.parametrize(
    ("name", "body", "field", "rule"),
    [
        *[("CreateAffiliate", of(AFFILIATE, **{field: ...}), field, "required") for field in AFFILIATE],
        ("CreateAffiliate", of(AFFILIATE, name=""), "name", "length"),
        ("CreateAffiliate", of(AFFILIATE, name=7), "name", "string"),
        ("CreateAffiliate", of(AFFILIATE, name="a\x00b"), "name", "characters"),
        ("CreateAffiliate", of(AFFILIATE, name="\ud800"), "name", "characters"),
        *[("CreateAffiliate", of(AFFILIATE, email=bad), "email", "email") for bad in ("ana", "@b", "a@", "a b@c")],
        *[("CreatePost", of(POST, **{field: ...}), field, "required") for field in POST],
        ("CreatePost", of(POST, affiliate_id="7"), "affiliate_id", "uuid"),
        ("CreatePost", of(POST, content="x" * (MAX_CONTENT + 1)), "content", "length"),
        ("ActivateAffiliate", {}, "affiliate_id", "required"),
        ("CalculateCost", {"saga_id": ID}, "payload", "object"),
        ("CalculateCost", {"payload": DAYS}, "saga_id", "required"),
        ("CalculateCost", {"saga_id": "x", "payload": DAYS}, "saga_id", "uuid"),
        *[("CalculateCost", of_saga(**{field: ...}), field, "required") for field in DAYS],
        ("CalculateCost", of_saga(start_date="yesterday"), "start_date", "date"),
        ("CalculateCost", of_saga(end_date="2026-02-30"), "end_date", "date"),
        ("CalculateCost", of_saga(end_date="2026-10-31"), "end_date", "order"),
        *[
            ("InteractionsInfoBuilt", {**INFO, "payload": {"post_id": ID, "total_interactions": bad}}, field, "integer")
            for bad in (-1, 2**63, "7", 7.0, True, None)
            for field in ("total_interactions",)
        ],
    ],
)
def test_what_breaks_a_rule_is_named(name: str, body: Mapping[str, Any], field: str, rule: str) -> None:
    with pytest.raises(RuleBroken) as broken:
        {**COMMANDS, **EVENTS}[name](body)
    assert (broken.value.field, broken.value.rule) == (field, rule)


def test_fingerprints_differ_where_commands_do() -> None:
    commands = [("CreatePost", COMMANDS["CreatePost"](of(POST, title=title))) for title in ("a", "b")]
    commands += [("ActivateAffiliate", SetStatus(ID, "active")), ("SuspendAffiliate", SetStatus(ID, "suspended"))]
    assert len({fingerprint(name, command) for name, command in commands}) == len(commands)
