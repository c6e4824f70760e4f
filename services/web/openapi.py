"""Pieces of OpenAPI documents."""

from __future__ import annotations

from typing import Any

from services.bodies import MAX_TEXT
from services.identity import MAX_KEY_LENGTH

Schema = dict[str, Any]


def members(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required or properties), "properties": properties}


def text(example: str) -> Schema:
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

PROBLEM = members(
    ("type", "title", "status", "detail", "error"),
    type=STRING,
    title=STRING,
    status={"type": "integer", "minimum": 400, "maximum": 599},
    detail=STRING,
    error={"type": "string", "description": "The detail again, for the original's callers."},
    field={"type": "string", "description": 'The member that breaks a rule, "" for the body itself.'},
    rule=STRING,
    interaction_id=ID,
    trackingId=ID,
    checks={"type": "object", "additionalProperties": STRING},
)


def answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def problem(description: str, *, again: bool = False) -> Schema:
    answer: Schema = {"description": description, "content": {"application/problem+json": {"schema": PROBLEM}}}
    if again:
        answer["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}
        }
    return answer


Responses = dict[int | str, dict[str, Any]]

DATABASE_AWAY: Responses = {503: problem("The database does not answer.", again=True)}
BAD_PARAMETER: Responses = {400: problem("A parameter breaks a rule; `field` names it.")}

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": MAX_KEY_LENGTH},
    "description": "Names an event that has no interaction_id; a UUID is the id itself.",
}


def body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def tidy(schema: Schema) -> Schema:
    """The document without the 422 that we never answer."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    schema.pop("components", None)
    return schema
