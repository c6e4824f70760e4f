"""What OpenAPI says of the endpoints: all that they may answer, and the bodies that FastAPI does not see."""

from __future__ import annotations

from typing import Any

from services.affiliates.domain.commands import ACTIVE, MAX_CONTENT, PENDING, SUSPENDED
from services.web.openapi import (
    BAD_PARAMETER,
    COUNT,
    DATABASE_AWAY,
    DATE,
    ID,
    KEY,
    STRING,
    TIME,
    Responses,
    Schema,
    answer,
    body,
    members,
    problem,
    text,
)

DECIMAL: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$", "description": "A decimal, exact."}

AFFILIATE = members(
    id=ID,
    name=STRING,
    email=STRING,
    program_id=STRING,
    status={"enum": [PENDING, ACTIVE, SUSPENDED]},
    joined_at=TIME,
    updated_on=TIME,
    created_at=TIME,
)
POST = members(id=ID, title=STRING, content=STRING, affiliate_id=ID, brand_id=STRING, created_at=TIME)
COST = members(
    id=ID,
    post_id=ID,
    status={"enum": ["waiting", "calculated"]},
    start_date=DATE,
    end_date=DATE,
    correlation_id=STRING,
    base_cost={"anyOf": [DECIMAL, {"type": "null"}]},
    interactions_count={"type": ["integer", "null"], "minimum": 0},
    interaction_cost={"anyOf": [DECIMAL, {"type": "null"}]},
    interaction_total_cost={"anyOf": [DECIMAL, {"type": "null"}]},
    engagement_multiplier={"anyOf": [DECIMAL, {"type": "null"}]},
    total_cost={"anyOf": [DECIMAL, {"type": "null"}]},
    created_at=TIME,
    calculated_at={"anyOf": [TIME, {"type": "null"}]},
)
TOTAL = members(
    what={"enum": ["affiliates", "posts", "cost calculations"]},
    status=STRING,
    count=COUNT,
    total_cost={"anyOf": [DECIMAL, {"type": "null"}]},
)

NEW_AFFILIATE = members(name=text("Ana"), email={**text("ana@example.org"), "format": "email"}, program_id=text("1"))
NEW_POST = members(
    title=text("A title"),
    content={**text("Some words"), "maxLength": MAX_CONTENT},
    affiliate_id=ID,
    brand_id=text("1"),
)
DAYS = members(start_date=DATE, end_date=DATE)


def _with(status: Schema, header: str, description: str) -> Schema:
    return {**status, "headers": {header: {"description": description, "schema": STRING}}}


def _page(what: Schema) -> Responses:
    page = answer("A page, newest first.", {"type": "array", "items": what})
    return {200: _with(page, "Link", 'The next page, as rel="next".'), **BAD_PARAMETER, **DATABASE_AWAY}


def _one(description: str, what: Schema) -> Responses:
    return {
        200: answer(description, what),
        400: problem("The id is no UUID."),
        404: problem("`not-found`: it isn't there, or not yet; `refused`: its command was, and `detail` says why."),
        **DATABASE_AWAY,
    }


HEALTH: Responses = {200: answer("The process lives.", members(status=STRING))}
READY: Responses = {
    200: answer(
        "Commands are accepted: `ready`, or `degraded` while the broker is away, for which they then wait.",
        members(status={"enum": ["ready", "degraded"]}, checks=members(pulsar=STRING, database=STRING)),
    ),
    503: problem("The database does not answer; `checks` says so."),
}
AFFILIATES, POSTS = _page(AFFILIATE), _page(POST)
ONE_AFFILIATE, ONE_POST, ONE_COST = _one("The affiliate.", AFFILIATE), _one("The post.", POST), _one("The cost.", COST)
COSTS: Responses = {**_page(COST), 404: ONE_POST[404]}
TOTALS: Responses = {
    200: answer("How many there are, by status.", members(items={"type": "array", "items": TOTAL})),
    **DATABASE_AWAY,
}

_ACCEPTED = _with(
    answer(
        "The command is on disk, and will take effect once, or be refused: Location tells which.",
        members(status={"const": "accepted"}, trackingId=ID),
    ),
    "Location",
    "Where the result can be read.",
)
ACCEPTED: Responses = {
    202: _ACCEPTED,
    400: problem("A rule is broken; `field` names the member."),
    409: problem("Type `key-reused`: a command with this Idempotency-Key and another body is accepted already."),
    503: problem("Type `nothing-attempted`: the command is nowhere.", again=True),
    504: problem("Type `in-doubt`: nobody confirmed the command; send it again with its key.", again=True),
}
WITH_BODY: Responses = {
    **ACCEPTED,
    413: problem("The body is too large."),
    415: problem("The body is not JSON."),
}
OF_A_POST: Responses = {**WITH_BODY, 404: problem("There is no such post, or not yet.")}


def extra(schema: Schema | None = None) -> dict[str, Any]:
    """What FastAPI does not see of an endpoint that takes commands."""
    found: dict[str, Any] = {"parameters": [KEY]}
    if schema is not None:
        found["requestBody"] = body(schema)
    return found
