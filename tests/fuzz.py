"""Messages that a decoder might stumble over, from a seed: the same seed gives the same messages, always."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.poison import EVENT, KINDS
from tests.unit.services.tracking.tracking_fakes import FakeMessage, FakeMessageId

NAMES = (
    "TrackInteraction ",
    "trackinteraction",
    "BuildInteractionsInfo",
    "InteractionsInfoBuilt",
    "",
    "\x00",
    "\udfff",
    "é" * 500,
)
MEMBERS = (*EVENT, "timestamp", "amount", "currency", "x", "", "\x00", "\ud800", "__proto__", "interaction_id\x00")
TIMES = (
    "2026-11-24T10:00:00Z", "2026-11-24T10:00:00+14:00", "2026-11-24", "20261124T101112", "2026-W48-2", "24/11/2026",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "1969-12-31T23:59:59", "20000-01-01T00:00:00Z",
    "-0001-01-01", "2026-02-30", "2026-11-24T24:00:00", "2026-11-24T10:00:60Z", "2026-11-24T10:00:00.123456789Z",
    "2026-11-24T10:00:00+25:00", "2026-11-24T10:00:00+00:00:00.000001", "infinity", "now", "epoch", "２０２６-11-24",
    "\x002026-11-24", "2026-11-24\x00", "2026-11-24T10:00:00\ud800",
)  # fmt: skip
STRINGS = (
    "", "x", "x" * 255, "x" * 256, "\x00", "a\x00", "\ud800", "\udfff\ud800", "\ud83d\ude00", "é", "\ufffe", "\x7f\x01",
    "EUR", "eur", "ÉUR", "conversion", "click", "CLICK",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**400, 0.1, -0.0, 1e308, 5e-324, True, False)
# As they stand in a JSON text, which json.dumps would not write.
RAW = (
    "NaN", "-Infinity", "1e999", "-1e-999", "00", "1.", ".5", "0x10", "+1", "1_000", "tru", "'x'", '"\\ud800"',
    '"\\u0000"', '"\\x"', '"\n"', "{}", "[]",
)  # fmt: skip
ENVELOPES: tuple[Callable[[Any], Any], ...] = (
    lambda body: {"payload": body},
    lambda body: {"msg_id": "1", "saga_id": "2", "type": "TrackInteraction", "occurred_at": TIMES[0], "payload": body},
    lambda body: {"specversion": "1.0", "type": "TrackInteraction", "data": body},
    lambda body: {**body, "headers": {"schema_version": 1}, "payload": {"post_id": 7}},
    lambda body: [body],
    lambda body: json.dumps(body),
    lambda body: {"data": [body, body], **body},
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7")


def messages(seed: int, count: int) -> Iterator[FakeMessage]:
    """So many messages, each at a position of its own."""
    rng = random.Random(seed)
    makers = (_sound, _altered, _altered, _altered, _enveloped, _mutated, _mutated, _repeated, _noise, _poison)
    for index in range(count):
        body = _monster(rng) if rng.random() < 0.004 else rng.choice(makers)(rng)
        yield FakeMessage(
            body,
            _properties(rng),
            None if rng.random() < 0.01 else rng.choice(("", "7", "\x00", "k" * 10_000)),
            at=FakeMessageId(entry=index, index=rng.choice((-1, 0, 999))),
            published_ms=rng.choice((0, 1_790_000_000_000, 2**63, 2**64 - 1))
            if rng.random() < 0.02
            else 1_790_000_000_000,
            redelivered=rng.choice((0, 0, 0, 3)),
        )


def _properties(rng: random.Random) -> dict[str, str] | None:
    if rng.random() < 0.85:
        return {"name": "TrackInteraction", "commandId": "1", "correlationId": "2"}
    if rng.random() < 0.05:
        return None
    found = {rng.choice(STRINGS): rng.choice(STRINGS) for _ in range(rng.randrange(4))}
    if rng.random() < 0.8:
        found["name"] = rng.choice(NAMES)
    if rng.random() < 0.3:
        found["deadLetterId"] = rng.choice((*STRINGS, EVENT["interaction_id"]))
        found["deadLetterGeneration"] = rng.choice(
            (*STRINGS, "1", "-1", "2147483647", "2147483648", "9" * 5000, "²", "1e3")
        )
    if rng.random() < 0.01:
        found |= {f"p{index}": "v" * 100 for index in range(1000)}
    return found


def _event(rng: random.Random) -> dict[str, Any]:
    event = {**EVENT, "interaction_id": f"{rng.getrandbits(128):032x}"}
    if rng.random() < 0.3:
        event |= {"interaction_type": "conversion", "amount": rng.randrange(10**6), "currency": "EUR"}
    return event


def _sound(rng: random.Random) -> bytes:
    return json.dumps(_event(rng)).encode()


def _value(rng: random.Random, depth: int = 3) -> Any:
    kind = rng.randrange(8 if depth else 6)
    if kind < 2:
        return rng.choice(STRINGS)
    if kind < 4:
        return rng.choice(NUMBERS)
    if kind == 4:
        return rng.choice(TIMES)
    if kind == 5:
        return None
    if kind == 6:
        return [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(MEMBERS): _value(rng, depth - 1) for _ in range(rng.randrange(4))}


def _altered(rng: random.Random) -> bytes:
    return altered(rng, _event(rng), MEMBERS)


def altered(rng: random.Random, event: dict[str, Any], members: Sequence[str]) -> bytes:
    """A sound body with members replaced, added, left out; now and then by what is no JSON."""
    for _ in range(rng.randrange(1, 4)):
        member = rng.choice(members)
        if rng.random() < 0.2:
            event.pop(member, None)
        else:
            event[member] = rng.choice(TIMES) if member == "timestamp" and rng.random() < 0.7 else _value(rng)
    text = json.dumps(event, ensure_ascii=rng.random() < 0.8)
    if rng.random() < 0.2:
        text = text.replace(": ", f": {rng.choice(RAW)}, {json.dumps(rng.choice(MEMBERS))}: ", 1)
    if rng.random() < 0.1:
        return text.encode(rng.choice(ENCODINGS), "replace")
    return text.encode("utf-8", rng.choice(("replace", "surrogatepass")))


def _enveloped(rng: random.Random) -> bytes:
    return json.dumps(rng.choice(ENVELOPES)(_event(rng))).encode()


def _mutated(rng: random.Random) -> bytes:
    """A sound event's bytes: some flipped, cut out, doubled."""
    body = bytearray(_sound(rng))
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(body) + 1)
        match rng.randrange(4):
            case 0:
                body[at : at + 1] = rng.randbytes(1)
            case 1:
                del body[at : at + rng.randrange(1, 20)]
            case 2:
                body[at:at] = body[at : at + rng.randrange(1, 40)]
            case _:
                body[at:at] = rng.choice(
                    (b"\x00", b"\xff", b"\\u0000", b"\\ud800", b'"', b"{", b"}", b"\xed\xa0\x80", b"\xc0\x80", b"\r\n")
                )
    return bytes(body)


def _repeated(rng: random.Random) -> bytes:
    """An object that has a member several times: the last one counts."""
    event = [*_event(rng).items(), *((rng.choice(MEMBERS), _value(rng, 1)) for _ in range(rng.randrange(1, 5)))]
    rng.shuffle(event)
    return ("{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in event) + "}").encode()


def _noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(200))


def _poison(rng: random.Random) -> bytes:
    return rng.choice(KINDS).body if rng.random() < 0.1 else rng.choice(RAW).encode()


def _monster(rng: random.Random) -> bytes:
    """What would take long, or a lot of stack."""
    size = rng.choice((900, 1100, 10_000, 100_000))
    return rng.choice(
        (
            lambda: b"[" * size,
            lambda: b'{"a":' * size,
            lambda: b"[" * size + b"]" * size,
            lambda: b'{"a":' * size + b"1" + b"}" * size,
            lambda: b'{"amount":' + b"9" * size + b"}",
            lambda: b'{"amount":-' + b"9" * size + b"." + b"9" * size + b"e" + b"9" * size + b"}",
            lambda: json.dumps({**_event(rng), "timestamp": "9" * size}).encode(),
            lambda: json.dumps({**_event(rng), "campaign_id": "\ud800" * size}).encode(),
            lambda: json.dumps({**_event(rng), **{f"m{index}": index for index in range(size // 10)}}).encode(),
            lambda: b'"' + b"\\" * size,
            lambda: b" " * size,
            lambda: ("{" + '"interaction_id":1,' * (size // 20) + '"a":1}').encode(),
        )
    )()  # fmt: skip
