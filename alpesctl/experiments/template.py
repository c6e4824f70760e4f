"""Renders an event with its id. Pure; the JSON is made once, the id is put in between."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alpesctl.experiments.ids import bucket
from alpesctl.experiments.model import ID_TOKEN, Event


class Template:
    """A text with places for the id."""

    def __init__(self, text: str) -> None:
        self._parts = text.split(ID_TOKEN)

    def __call__(self, event_id: str) -> str:
        return event_id.join(self._parts)


@dataclass(frozen=True)
class Rendered:
    """One event as it is sent; `key` is its partition key."""

    body: bytes
    headers: Mapping[str, str]
    properties: Mapping[str, str]
    key: str


class EventTemplate:
    """An event with places for its id. The body is compact JSON, or the raw one."""

    def __init__(self, event: Event) -> None:
        text = json.dumps(event.body, separators=(",", ":"), ensure_ascii=False)
        self._body = (event.raw or text.encode()).split(ID_TOKEN.encode())
        self._headers = {name: Template(text) for name, text in event.headers.items()}
        self._properties = {name: Template(text) for name, text in event.properties.items()}
        self._buckets = event.buckets

    def __call__(self, event_id: str) -> Rendered:
        return Rendered(
            event_id.encode().join(self._body),
            {name: text(event_id) for name, text in self._headers.items()},
            {name: text(event_id) for name, text in self._properties.items()},
            bucket(event_id, self._buckets) if self._buckets else event_id,
        )


class InTurn:
    """Several events, sent in turn: the one of an event's number in its load."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._templates = [EventTemplate(event) for event in events]

    def __call__(self, number: int, event_id: str) -> Rendered:
        return self._templates[number % len(self._templates)](event_id)
