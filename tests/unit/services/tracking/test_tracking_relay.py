"""The relay: each letter published and marked by itself; one that is too big goes without its body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pulsar
import pytest

from services.messaging.broker import Letters, TooBig
from services.messaging.link import BrokerAway
from services.tracking.adapters import relay as module
from services.tracking.adapters.relay import relay


class FakeDatabase:
    """Letters by id, unmarked first; a mark lasts once it is committed."""

    def __init__(self, *bodies: bytes, properties: dict[str, str] | None = None) -> None:
        self.letters = [(str(n), 0, "topic", "7", properties or {}, body, "why") for n, body in enumerate(bodies)]
        self.marked: list[str] = []
        self._marking: list[str] = []
        self._found: Any = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._marking = []
        yield
        self.marked += self._marking

    def execute(self, query: str, values: Any = (), *, prepare: bool = False) -> FakeDatabase:
        if query == module.PUBLISHED:
            self._marking.append(values[0])
        else:
            self._found = next((letter for letter in self.letters if letter[0] not in self.marked), None)
        return self

    def fetchone(self) -> Any:
        return self._found

    def fetchall(self) -> Any:
        return [letter for letter in self.letters if letter[0] not in self.marked]


class FakeLetters:
    """A topic that takes no more than `limit` bytes and goes away before its `away`th letter."""

    def __init__(self, limit: int = 100, away: int | None = None) -> None:
        self.limit = limit
        self.away = away
        self.sent: list[tuple[bytes, str, dict[str, str]]] = []

    def publish(self, body: bytes, key: str, properties: Mapping[str, str]) -> None:
        if len(self.sent) == self.away:
            raise BrokerAway("Timeout")
        if len(body) + sum(map(len, properties.values())) > self.limit:
            raise TooBig("MessageTooBig")
        self.sent.append((body, key, dict(properties)))


def run(database: Any, letters: FakeLetters) -> int:
    return relay(database, lambda: letters)


def test_what_was_published_before_an_outage_is_marked() -> None:
    database = FakeDatabase(b"a", b"b", b"c")
    with pytest.raises(BrokerAway):
        run(database, FakeLetters(away=2))
    assert database.marked == ["0", "1"]


def test_a_letter_that_is_too_big_goes_without_its_body_and_blocks_none() -> None:
    database = FakeDatabase(b"x" * 200, b"b", properties={"name": "Odd"})
    letters = FakeLetters()
    assert run(database, letters) == 2
    assert database.marked == ["0", "1"]
    (big, key, properties), (small, _, others) = letters.sent
    assert (big, key, properties["deadLetterBody"], properties["deadLetterId"]) == (b"", "7", "omitted", "0")
    assert properties["name"] == "Odd"
    assert small == b"b"
    assert "deadLetterBody" not in others


def test_properties_that_are_too_big_stay_behind_too() -> None:
    database = FakeDatabase(b"", properties={"name": "x" * 200})
    letters = FakeLetters()
    assert run(database, letters) == 1
    ((_, _, properties),) = letters.sent
    assert (properties["deadLetterProperties"], properties["deadLetterId"]) == ("omitted", "0")
    assert "name" not in properties


@pytest.mark.parametrize(
    ("raised", "expected"), [(pulsar.MessageTooBig, TooBig), (pulsar.Timeout, BrokerAway)], ids=["big", "away"]
)
def test_the_producer_tells_too_big_from_away(raised: type[Exception], expected: type[Exception]) -> None:
    class Producer:
        def send(self, *_: Any, **__: Any) -> None:
            raise raised("why")

        def close(self) -> None:
            raise pulsar.AlreadyClosed("why")

    class Connection:
        def create_producer(self, *_: Any, **__: Any) -> Producer:
            return Producer()

    letters = Letters(Connection(), "topic")  # type: ignore[arg-type]
    with pytest.raises(expected):
        letters.publish(b"", "", {})
    letters.close()
