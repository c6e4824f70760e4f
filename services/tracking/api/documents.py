"""What OpenAPI says of the endpoints: all that they may answer, and the two that FastAPI does not see."""

from __future__ import annotations

from services.tracking.api import batch, ingest
from services.tracking.domain.interaction import MAX_AMOUNT, TYPES
from services.web.openapi import (
    BAD_PARAMETER,
    COUNT,
    DATABASE_AWAY,
    DATE,
    ID,
    KEY,
    PROBLEM,
    STRING,
    TIME,
    Responses,
    Schema,
    answer,
    body,
    members,
    problem,
    text,
    tidy,
)

ACCEPTED = members(status={"const": "success"}, interaction_id=ID)

INTERACTION: Schema = {
    **members(
        ("interaction_type", "target_element_id", "target_element_type", "campaign_id"),
        interaction_id={"type": ["string", "null"], "format": "uuid"},
        interaction_type={"type": "string", "enum": sorted(TYPES)},
        target_element_id=text("123"),
        target_element_type=text("button"),
        campaign_id=text("123"),
        timestamp={"type": ["string", "null"], "format": "date-time"},
        amount={"type": ["integer", "null"], "minimum": 0, "maximum": MAX_AMOUNT},
        currency={"type": ["string", "null"], "pattern": "^[A-Z]{3}$"},
    ),
    "description": "amount (in minor units) and currency are required for a conversion, and only there.",
}

STORED = members(
    id=ID,
    interaction_type={"type": "string", "enum": sorted(TYPES)},
    target_element_id=STRING,
    target_element_type=STRING,
    campaign_id=STRING,
    timestamp=TIME,
    amount={"type": ["integer", "null"]},
    currency={"type": ["string", "null"]},
    created_at=TIME,
    updated_on=TIME,
)

CHECKS = members(pulsar=STRING, database=STRING, outbox=STRING)


HEALTH: Responses = {200: answer("The process lives.", members(status=STRING))}
READY: Responses = {
    200: answer(
        "Events are accepted: `ready`, or `degraded` while a part is away without which they still are.",
        members(status={"enum": ["ready", "degraded"]}, checks=CHECKS),
    ),
    503: problem("Neither the broker nor the outbox takes events; `checks` says why."),
}
NEWEST: Responses = {
    200: answer(
        "A page, newest first.",
        members(
            status={"const": "success"},
            data={"type": "array", "items": STORED},
            next_cursor={"type": ["string", "null"]},
        ),
    ),
    **BAD_PARAMETER,
    **DATABASE_AWAY,
}
ONE: Responses = {
    200: answer("The interaction.", members(status={"const": "success"}, data=STORED)),
    400: problem("The id is no UUID."),
    404: problem("No such interaction is counted."),
    **DATABASE_AWAY,
}
DAILY: Responses = {
    200: answer(
        "Day descending, then status.",
        members(
            items={
                "type": "array",
                "items": members(day=DATE, status={"enum": ["ok", "error"]}, count=COUNT),
            }
        ),
    ),
    **BAD_PARAMETER,
    **DATABASE_AWAY,
}

CAMPAIGNS: Responses = {
    200: answer(
        "A page of campaigns, each with its types; `amounts` sums conversions in minor units, by currency.",
        members(
            items={
                "type": "array",
                "items": members(
                    campaign_id=STRING,
                    interaction_type={"enum": sorted(TYPES)},
                    count=COUNT,
                    amounts={"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
                ),
            },
            next_cursor={"type": ["string", "null"]},
        ),
    ),
    **BAD_PARAMETER,
    **DATABASE_AWAY,
}

REFUSED: dict[str, Schema] = {
    "400": problem("A rule is broken; `field` names the member."),
    "413": problem("The body is too large."),
    "415": problem("The body is not JSON."),
}
NOTHING_ATTEMPTED = problem(
    "Type `nothing-attempted`: broker and outbox take nothing; the event is nowhere.", again=True
)

POSTS: dict[str, Schema] = {
    ingest.PATH: {
        "summary": "Record an interaction",
        "operationId": "record_interaction",
        "description": "201 means durable. The same id twice gives the same answer and is counted once.",
        "parameters": [KEY],
        "requestBody": body(INTERACTION),
        "responses": {
            "201": answer("The event is on disk: the broker has it, or the outbox while the broker is away.", ACCEPTED),
            **REFUSED,
            "409": problem("Type `key-reused`: an event with this id and another body is accepted already."),
            "503": NOTHING_ATTEMPTED,
            "504": problem("Type `in-doubt`: nobody confirmed the event; send it again with its id.", again=True),
        },
    },
    batch.PATH: {
        "summary": "Record many interactions",
        "operationId": "record_interactions",
        "description": f"1 to {batch.MAX_EVENTS} events, each accepted or refused by itself. Without ids of their own "
        "they are named by the Idempotency-Key and their place.",
        "parameters": [KEY],
        "requestBody": body({"type": "array", "minItems": 1, "maxItems": batch.MAX_EVENTS, "items": INTERACTION}),
        "responses": {
            status: answer(
                description,
                members(results={"type": "array", "minItems": 1, "items": {"anyOf": [ACCEPTED, PROBLEM]}}),
            )
            for status, description in (
                ("200", "Not all events are accepted: `results` has an answer for each, in order."),
                ("201", "All events are accepted, as `results` says for each, in order."),
            )
        }
        | {**REFUSED, "503": NOTHING_ATTEMPTED},
    },
}


def complete(schema: Schema) -> Schema:
    """FastAPI's schema with what it does not see."""
    for path, post in POSTS.items():
        schema["paths"].setdefault(path, {})["post"] = post
    return tidy(schema)
