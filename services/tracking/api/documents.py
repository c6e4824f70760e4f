"""What OpenAPI says of the endpoint that FastAPI does not see."""

from __future__ import annotations

from typing import Any

from services.tracking.domain.interaction import MAX_AMOUNT, MAX_TEXT, TYPES


def _text(example: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "examples": [example]}


def _problem(description: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["type", "title", "status", "detail", "error"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "error": {"type": "string"},
            "field": {"type": "string"},
            "rule": {"type": "string"},
        },
    }
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


INTERACTION = {
    "type": "object",
    "required": ["interaction_type", "target_element_id", "target_element_type", "campaign_id"],
    "properties": {
        "interaction_id": {"type": ["string", "null"], "format": "uuid"},
        "interaction_type": {"type": "string", "enum": sorted(TYPES)},
        "target_element_id": _text("123"),
        "target_element_type": _text("button"),
        "campaign_id": _text("123"),
        "timestamp": {"type": ["string", "null"], "format": "date-time"},
        "amount": {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_AMOUNT},
        "currency": {"type": ["string", "null"], "pattern": "^[A-Z]{3}$"},
    },
    "description": "amount (in minor units) and currency are required for a conversion, and only there.",
}

OPENAPI_POST: dict[str, Any] = {
    "summary": "Record an interaction",
    "operationId": "record_interaction",
    "description": "201 means durable. The same id twice gives the same answer and is counted once.",
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": 255},
            "description": "Names the event if the body has no interaction_id; a UUID is the id itself.",
        }
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": INTERACTION}}},
    "responses": {
        "201": {
            "description": "The broker has the event, on disk.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["status", "interaction_id"],
                        "properties": {
                            "status": {"const": "success"},
                            "interaction_id": {"type": "string", "format": "uuid"},
                        },
                    }
                }
            },
        },
        "400": _problem("The event breaks a rule; `field` names the member."),
        "413": _problem("The body is too large."),
        "415": _problem("The body is not JSON."),
        "503": _problem("Type `nothing-attempted`: the broker is away, and the event was not sent."),
        "504": _problem("Type `in-doubt`: the event was sent, but the broker's receipt did not come."),
    },
}
