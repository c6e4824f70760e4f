"""Renders an event's strings with its id. Pure; the JSON is made once, the id is put in between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alpesctl.experiments.model import ID_TOKEN


class Template:
    """A text with places for the id."""

    def __init__(self, text: str) -> None:
        self._parts = text.split(ID_TOKEN)

    def __call__(self, event_id: str) -> str:
        return event_id.join(self._parts)


def body_template(body: Mapping[str, Any]) -> Template:
    """The body as compact JSON."""
    return Template(json.dumps(body, separators=(",", ":"), ensure_ascii=False))


def map_template(texts: Mapping[str, str]) -> Mapping[str, Template]:
    return {name: Template(text) for name, text in texts.items()}
