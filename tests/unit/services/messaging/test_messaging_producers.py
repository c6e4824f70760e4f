"""Who relays must know exactly what the broker has: the first ones of a batch, in their order, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulsar
import pytest

from services.messaging import producers as module
from services.messaging.link import BrokerAway
from services.messaging.messages import Sent
from services.messaging.producers import Producers

Received = Callable[[Any, Any], None]
TOPIC = "persistent://public/default/events"


class FakeProducer:
    """Answers each send by `results`, in turn; an exception among them is raised instead."""

    def __init__(self, results: list[Any]) -> None:
        self.results = results
        self.sent: list[tuple[bytes, str | None, dict[str, str]]] = []

    def send_async(
        self,
        body: bytes,
        callback: Callable[[Any, Any], None],
        *,
        partition_key: str | None,
        properties: dict[str, str],
    ) -> None:
        result = self.results.pop(0) if self.results else pulsar.Result.Ok
        if isinstance(result, Exception):
            raise result
        self.sent.append((body, partition_key, properties))
        if result is not None:
            callback(result, None)


class FakeClient:
    def __init__(self, producers: list[FakeProducer | Exception]) -> None:
        self.producers = producers
        self.closed = False

    def create_producer(self, _topic: str, **_options: Any) -> FakeProducer:
        made = self.producers.pop(0)
        if isinstance(made, Exception):
            raise made
        return made

    def shutdown(self) -> None:
        self.closed = True


class Bench:
    """Clients by turns; `up` is whether the broker accepts connections."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *producers: FakeProducer | Exception) -> None:
        self.clients = [FakeClient([producer]) for producer in producers]
        self.made: list[FakeClient] = []
        self.up = True
        monkeypatch.setattr(module, "client", self._client)
        monkeypatch.setattr(module, "answers", lambda _url: self.up)
        monkeypatch.setattr(module, "RECEIPT_S", 0.05)
        self.producers = Producers("pulsar://nowhere:6650")

    def _client(self, _url: str) -> FakeClient:
        self.made.append(self.clients.pop(0))
        return self.made[-1]


def sent(*bodies: bytes) -> list[Sent]:
    return [Sent("7", {"name": "n"}, body) for body in bodies]


def test_all_that_has_a_receipt_is_published_by_one_producer(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = FakeProducer([])
    bench = Bench(monkeypatch, producer)
    assert bench.producers.publish(TOPIC, sent(b"a", b"b")) == 2
    assert bench.producers.publish(TOPIC, sent(b"c")) == 1
    assert [body for body, *_ in producer.sent] == [b"a", b"b", b"c"]
    assert len(bench.made) == 1


@pytest.mark.parametrize("result", [pulsar.Result.Timeout, None, pulsar.ConnectError("gone")])
def test_only_what_is_before_a_failure_counts_and_all_is_made_anew(
    monkeypatch: pytest.MonkeyPatch, result: Any
) -> None:
    ok = pulsar.Result.Ok
    bench = Bench(monkeypatch, FakeProducer([ok, result, ok]), FakeProducer([]))
    assert bench.producers.publish(TOPIC, sent(b"a", b"b", b"c")) == 1
    assert bench.made[0].closed
    assert bench.producers.publish(TOPIC, sent(b"b", b"c")) == 2
    assert len(bench.made) == 2


@pytest.mark.parametrize("result", [pulsar.Result.MessageTooBig, pulsar.MessageTooBig("big")])
def test_what_is_too_big_goes_without_its_body(monkeypatch: pytest.MonkeyPatch, result: Any) -> None:
    producer = FakeProducer([result])
    bench = Bench(monkeypatch, producer)
    assert bench.producers.publish(TOPIC, sent(b"a", b"b")) == 2
    assert (b"", "7", {"name": "n", "deadLetterBody": "omitted"}) in producer.sent


def test_a_dead_letter_too_big_even_without_its_body_goes_with_what_says_which_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    too_big = pulsar.Result.MessageTooBig
    producer = FakeProducer([too_big, too_big])
    bench = Bench(monkeypatch, producer)
    letter = {"deadLetterId": "i", "deadLetterGeneration": "0", "deadLetterTopic": "t", "deadLetterReason": "r"}
    assert bench.producers.publish(TOPIC, [Sent("7", {**letter, "x": "x" * 100}, b"a"), *sent(b"b")]) == 2
    omitted = {"deadLetterBody": "omitted", "deadLetterProperties": "omitted"}
    assert (b"", None, {**letter, **omitted}) in producer.sent


def test_what_is_too_big_without_anything_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = FakeProducer([pulsar.Result.MessageTooBig] * 9)
    assert Bench(monkeypatch, producer).producers.publish(TOPIC, sent(b"a", b"b")) == 0
    assert len(producer.sent) == 6


def test_a_broker_that_is_away_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, pulsar.ConnectError("gone"), FakeProducer([]))
    bench.up = False
    with pytest.raises(BrokerAway):
        bench.producers.publish(TOPIC, sent(b"a"))
    bench.up = True
    with pytest.raises(BrokerAway):
        bench.producers.publish(TOPIC, sent(b"a"))
    assert bench.made[0].closed
    assert bench.producers.publish(TOPIC, sent(b"a")) == 1
