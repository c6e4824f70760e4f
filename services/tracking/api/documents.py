"""What OpenAPI says of the endpoints: all that they may answer, and the two that FastAPI does not see."""

from __future__ import annotations

from typing import Any

from services.tracking.api import batch, ingest
from services.tracking.domain.identity import MAX_KEY_LENGTH
from services.tracking.domain.interaction import MAX_AMOUNT, MAX_TEXT, TYPES

Schema = dict[str, Any]


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required or properties), "properties": properties}


def _text(example: str) -> Schema:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_TEXT,
        "examples": [example],
    }


STRING: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
DATE: Schema = {"type": "string", "format": "date"}
TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "format": "uuid"}

PROBLEM = _object(
    ("type", "title", "status", "detail", "error"),
    type=STRING,
    title=STRING,
    status={"type": "integer", "minimum": 400, "maximum": 599},
    detail=STRING,
    error={"type": "string", "description": "The detail again, for the original's callers."},
    field={"type": "string", "description": 'The member that breaks a rule, "" for the body itself.'},
    rule=STRING,
    interaction_id=ID,
    checks={"type": "object", "additionalProperties": STRING},
)

ACCEPTED = _object(status={"const": "success"}, interaction_id=ID)

INTERACTION: Schema = {
    **_object(
        ("interaction_type", "target_element_id", "target_element_type", "campaign_id"),
        interaction_id={"type": ["string", "null"], "format": "uuid"},
        interaction_type={"type": "string", "enum": sorted(TYPES)},
        target_element_id=_text("123"),
        target_element_type=_text("button"),
        campaign_id=_text("123"),
        timestamp={"type": ["string", "null"], "format": "date-time"},
        amount={"type": ["integer", "null"], "minimum": 0, "maximum": MAX_AMOUNT},
        currency={"type": ["string", "null"], "pattern": "^[A-Z]{3}$"},
    ),
    "description": "amount (in minor units) and currency are required for a conversion, and only there.",
}

STORED = _object(
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

CHECKS = _object(pulsar=STRING, database=STRING, outbox=STRING)


def _json(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem(description: str, *, again: bool = False) -> Schema:
    answer: Schema = {"description": description, "content": {"application/problem+json": {"schema": PROBLEM}}}
    if again:
        answer["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}
        }
    return answer


Responses = dict[int | str, dict[str, Any]]

DATABASE_AWAY: Responses = {503: _problem("The database does not answer.", again=True)}
BAD_PARAMETER: Responses = {400: _problem("A parameter breaks a rule; `field` names it.")}

HEALTH: Responses = {200: _json("The process lives.", _object(status=STRING))}
READY: Responses = {
    200: _json(
        "Events are accepted: `ready`, or `degraded` while a part is away without which they still are.",
        _object(status={"enum": ["ready", "degraded"]}, checks=CHECKS),
    ),
    503: _problem("Neither the broker nor the outbox takes events; `checks` says why."),
}
NEWEST: Responses = {
    200: _json(
        "A page, newest first.",
        _object(
            status={"const": "success"},
            data={"type": "array", "items": STORED},
            next_cursor={"type": ["string", "null"]},
        ),
    ),
    **BAD_PARAMETER,
    **DATABASE_AWAY,
}
ONE: Responses = {
    200: _json("The interaction.", _object(status={"const": "success"}, data=STORED)),
    400: _problem("The id is no UUID."),
    404: _problem("No such interaction is counted."),
    **DATABASE_AWAY,
}
DAILY: Responses = {
    200: _json(
        "Day descending, then status.",
        _object(
            items={
                "type": "array",
                "items": _object(day=DATE, status={"enum": ["ok", "error"]}, count=COUNT),
            }
        ),
    ),
    **BAD_PARAMETER,
    **DATABASE_AWAY,
}

CAMPAIGNS: Responses = {
    200: _json(
        "A page of campaigns, each with its types; `amounts` sums conversions in minor units, by currency.",
        _object(
            items={
                "type": "array",
                "items": _object(
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
    "400": _problem("A rule is broken; `field` names the member."),
    "413": _problem("The body is too large."),
    "415": _problem("The body is not JSON."),
}
NOTHING_ATTEMPTED = _problem(
    "Type `nothing-attempted`: broker and outbox take nothing; the event is nowhere.", again=True
)

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": MAX_KEY_LENGTH},
    "description": "Names an event that has no interaction_id; a UUID is the id itself.",
}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


POSTS: dict[str, Schema] = {
    ingest.PATH: {
        "summary": "Record an interaction",
        "operationId": "record_interaction",
        "description": "201 means durable. The same id twice gives the same answer and is counted once.",
        "parameters": [KEY],
        "requestBody": _body(INTERACTION),
        "responses": {
            "201": _json("The event is on disk: the broker has it, or the outbox while the broker is away.", ACCEPTED),
            **REFUSED,
            "409": _problem("Type `key-reused`: an event with this id and another body is accepted already."),
            "503": NOTHING_ATTEMPTED,
            "504": _problem("Type `in-doubt`: nobody confirmed the event; send it again with its id.", again=True),
        },
    },
    batch.PATH: {
        "summary": "Record many interactions",
        "operationId": "record_interactions",
        "description": f"1 to {batch.MAX_EVENTS} events, each accepted or refused by itself. Without ids of their own "
        "they are named by the Idempotency-Key and their place.",
        "parameters": [KEY],
        "requestBody": _body({"type": "array", "minItems": 1, "maxItems": batch.MAX_EVENTS, "items": INTERACTION}),
        "responses": {
            status: _json(
                description,
                _object(results={"type": "array", "minItems": 1, "items": {"anyOf": [ACCEPTED, PROBLEM]}}),
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
    """FastAPI's schema with what it does not see, and without the 422 that we never answer."""
    for path, post in POSTS.items():
        schema["paths"].setdefault(path, {})["post"] = post
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    schema.pop("components", None)
    return schema
