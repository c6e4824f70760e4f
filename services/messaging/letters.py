"""Dead letters: what a message that can't be handled carries when it is put aside, and when it comes again."""

from __future__ import annotations

from collections.abc import Mapping

from services.identity import canonical
from services.messaging.messages import Message, place

# A dead letter that is published again carries these, so that it is judged, and counted, once more.
LETTER_ID, LETTER_GENERATION = "deadLetterId", "deadLetterGeneration"
LETTER_TOPIC, LETTER_REASON = "deadLetterTopic", "deadLetterReason"
MAX_REASON = 1000
# In place of what had to be left out, because the broker takes no message of that size.
OMITTED_BODY = {"deadLetterBody": "omitted"}
OMITTED_ALL = {**OMITTED_BODY, "deadLetterProperties": "omitted"}
_MAX_GENERATION = 2**31 - 1
_ABOUT = (LETTER_ID, LETTER_GENERATION, LETTER_TOPIC, LETTER_REASON)


def about(properties: Mapping[str, str]) -> Mapping[str, str]:
    """Of a dead letter's properties, those that say which it is, and why."""
    return {name: properties[name] for name in _ABOUT if name in properties}


def identity(message: Message, properties: Mapping[str, str]) -> tuple[str, int]:
    """A message's id and generation as a letter: those that it carries, else by its place, and 0."""
    generation = properties.get(LETTER_GENERATION, "")
    if generation.isascii() and generation.isdecimal() and len(generation) <= 10:
        letter_id = canonical(properties.get(LETTER_ID, ""))
        if letter_id is not None and int(generation) <= _MAX_GENERATION:
            return letter_id, int(generation)
    return place(message), 0
