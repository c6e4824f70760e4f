"""Dead letters: what a message that can't be handled carries when it is put aside, and when it comes again."""

from __future__ import annotations

from collections.abc import Mapping

from services.identity import canonical
from services.messaging.messages import Message, Sent, place

# A dead letter that is published again carries these, so that it is judged, and counted, once more.
LETTER_ID, LETTER_GENERATION = "deadLetterId", "deadLetterGeneration"
LETTER_TOPIC, LETTER_REASON = "deadLetterTopic", "deadLetterReason"
MAX_REASON = 1000
# In place of what had to be left out, because the broker takes no message of that size.
_OMITTED_BODY = {"deadLetterBody": "omitted"}
_OMITTED_ALL = {**_OMITTED_BODY, "deadLetterProperties": "omitted"}
_MAX_GENERATION = 2**31 - 1
_ABOUT = (LETTER_ID, LETTER_GENERATION, LETTER_TOPIC, LETTER_REASON)


def smaller(letter: Sent) -> Sent | None:
    """What is published in place of a letter that is too big: it says what was left out. None if nothing is left to
    leave out. Only a letter can be too big: it has what its sender sent, and more."""
    if letter.body:
        return letter._replace(body=b"", properties={**letter.properties, **_OMITTED_BODY})
    about = {name: letter.properties[name] for name in _ABOUT if name in letter.properties}
    less = Sent("", {**about, **_OMITTED_ALL}, b"")
    return None if less.properties == letter.properties else less


def identity(message: Message, properties: Mapping[str, str]) -> tuple[str, int]:
    """A message's id and generation as a letter: those that it carries, else by its place, and 0."""
    generation = properties.get(LETTER_GENERATION, "")
    if generation.isascii() and generation.isdecimal() and len(generation) <= 10:
        letter_id = canonical(properties.get(LETTER_ID, ""))
        if letter_id is not None and int(generation) <= _MAX_GENERATION:
            return letter_id, int(generation)
    return place(message), 0
