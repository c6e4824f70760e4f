"""The outbox's relay: in order, deleted only with a receipt, one topic's trouble not another's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from services.affiliates.adapters import relay as module
from services.affiliates.adapters.relay import OutboxRelay
from services.messaging.link import BrokerAway
from services.messaging.messages import Sent


class FakeDatabase:
    """An outbox of (topic, body); what a transaction deletes is gone once it ends well."""

    closed = False

    def __init__(self, *rows: tuple[str, bytes]) -> None:
        self.rows = dict(enumerate(rows))
        self.locked_by_another = False
        self._gone: list[int] = []
        self._found: list[Any] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._gone = []
        yield
        for position in self._gone:
            del self.rows[position]

    def execute(self, query: str, values: Sequence[Any] = (), *, prepare: bool = False) -> FakeDatabase:
        if query == module.TOPICS:
            self._found = [(topic,) for topic in sorted({topic for topic, _ in self.rows.values()})]
        elif query == module.WAITING:
            self._found = [(place, "7", {}, body) for place, (topic, body) in self.rows.items() if topic == values[0]]
        elif query == module.GONE:
            self._gone = values[0]
        elif "advisory" in query:
            self._found = [(not self.locked_by_another,)]
        return self

    def fetchall(self) -> list[Any]:
        return self._found

    def fetchone(self) -> Any:
        return self._found[0]


class FakeProducers:
    """Topics that take so many messages and no more; one that isn't named is not there."""

    def __init__(self, **rooms: int) -> None:
        self.rooms = rooms
        self.asked: list[str] = []
        self.sent: list[bytes] = []

    def publish(self, topic: str, messages: Sequence[Sent]) -> int:
        self.asked.append(topic)
        if topic not in self.rooms:
            raise BrokerAway(f"{topic}: TopicNotFound")
        taken = messages[: self.rooms[topic]]
        self.sent += [message.body for message in taken]
        return len(taken)

    def close(self) -> None: ...


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(database: FakeDatabase, producers: FakeProducers) -> OutboxRelay:
        monkeypatch.setattr(module, "connect", lambda *_: database)
        return OutboxRelay("postgresql://", producers)

    return make


def test_only_what_has_a_receipt_is_deleted(connected: Any) -> None:
    database, producers = FakeDatabase(("a", b"1"), ("a", b"2"), ("a", b"3")), FakeProducers(a=2)
    relay = connected(database, producers)
    assert relay.turn() == 2
    assert list(database.rows.values()) == [("a", b"3")]
    assert relay.turn() == 1
    assert (relay.turn(), producers.sent) == (0, [b"1", b"2", b"3"])


def test_a_topic_that_is_not_there_holds_up_no_other_and_is_not_asked_for_at_once(
    connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, producers = FakeDatabase(("a", b"1"), ("b", b"2")), FakeProducers(b=9)
    relay = connected(database, producers)
    assert (relay.turn(), relay.turn(), relay.turn()) == (1, 0, 0)
    assert (producers.sent, producers.asked.count("a")) == ([b"2"], 1)
    monkeypatch.setattr(module.time, "monotonic", lambda: 1e9)
    producers.rooms["a"] = 9
    assert (relay.turn(), producers.sent) == (1, [b"2", b"1"])


def test_what_another_relay_has_in_hand_is_left_to_it(connected: Any) -> None:
    database, producers = FakeDatabase(("a", b"1")), FakeProducers(a=9)
    database.locked_by_another = True
    assert (connected(database, producers).turn(), producers.sent) == (0, [])


def test_an_error_of_the_producers_leaves_everything(connected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    database, producers = FakeDatabase(("a", b"1")), FakeProducers(a=9)

    def broken(*_: Any) -> int:
        raise KeyError("bug")

    monkeypatch.setattr(producers, "publish", broken)
    with pytest.raises(KeyError):
        connected(database, producers).turn()
    assert len(database.rows) == 1
