"""Topics by name."""

from __future__ import annotations

NAMESPACE = "public/default"
DEAD_LETTER_SUBSCRIPTION = "dead-letters"


def full_name(topic: str) -> str:
    """A topic's full name, whether or not it was given one."""
    return topic if "://" in topic else f"persistent://{NAMESPACE}/{topic}"


def dead_letters_of(topic: str) -> str:
    """The topic that a topic's dead letters are published to."""
    return topic + "-DLQ"
