"""The publisher: a receipt, nothing attempted, or in doubt; receipts come from another thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pulsar
import pytest

from services.errors import InDoubt, NothingAttempted
from services.messaging.link import BrokerAway
from services.tracking.adapters import publisher as module
from services.tracking.adapters.publisher import Publisher


class FakeProducer:
    def __init__(self, result: Any, connected: bool = True) -> None:
        self.result = result
        self.connected = connected
        self.sent: list[bytes] = []

    def is_connected(self) -> bool:
        return self.connected

    def send_async(self, body: bytes, callback: Callable[[Any, Any], None], **_: Any) -> None:
        self.sent.append(body)
        threading.Thread(target=callback, args=(self.result, None)).start()


class FakeLink:
    def __init__(self, producer: FakeProducer) -> None:
        self.handle: Any = producer

    def check(self) -> None: ...

    def close(self) -> None: ...


def linked(link: FakeLink) -> Publisher:
    publisher = Publisher(lambda: link)
    publisher._check()
    return publisher


def publish(producer: FakeProducer, times: int = 1) -> None:
    async def run() -> None:
        publisher = linked(FakeLink(producer))
        await asyncio.gather(*(publisher.publish(b"%d" % n, "1", {}) for n in range(times)))

    asyncio.run(run())


def test_every_event_gets_its_receipt() -> None:
    producer = FakeProducer(pulsar.Result.Ok)
    publish(producer, times=50)
    assert len(producer.sent) == 50


def test_away_before_publishing_means_nothing_attempted() -> None:
    producer = FakeProducer(pulsar.Result.Ok, connected=False)
    with pytest.raises(NothingAttempted):
        publish(producer)
    assert producer.sent == []


def test_a_full_queue_means_nothing_attempted() -> None:
    with pytest.raises(NothingAttempted):
        publish(FakeProducer(pulsar.Result.ProducerQueueIsFull))


@pytest.mark.parametrize("result", [pulsar.Result.Timeout, pulsar.Result.NotConnected, pulsar.Result.UnknownError])
def test_everything_else_is_in_doubt(result: Any) -> None:
    with pytest.raises(InDoubt):
        publish(FakeProducer(result))


def test_a_receipt_that_never_comes_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(FakeProducer):
        def send_async(self, body: bytes, callback: Callable[[Any, Any], None], **_: Any) -> None:
            self.sent.append(body)

    monkeypatch.setattr(module, "RECEIPT_S", 0.05)
    with pytest.raises(InDoubt):
        publish(Silent(None))


def test_a_receipt_after_the_loops_end_is_let_go() -> None:
    loop = asyncio.new_event_loop()
    receipt = loop.create_future()
    loop.close()
    linked(FakeLink(FakeProducer(None)))._received(loop, receipt, pulsar.Result.AlreadyClosed, None)


def test_the_links_thread_outlives_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = threading.Semaphore(0)

    class Broken(FakeLink):
        def check(self) -> None:
            checked.release()
            raise KeyError("bug")

    monkeypatch.setattr(module, "CHECK_PERIOD_S", 0.001)
    publisher = linked(Broken(FakeProducer(None)))
    publisher.keep()
    assert all(checked.acquire(timeout=5) for _ in range(2))
    publisher.close()


def test_without_a_link_nothing_is_attempted_until_there_is_one() -> None:
    found: list[FakeLink] = []

    def make() -> FakeLink:
        if not found:
            raise BrokerAway("the broker accepts no connections")
        return found[0]

    publisher = Publisher(make)
    publisher._check()
    assert publisher.trouble() == "not connected"
    with pytest.raises(NothingAttempted, match="accepts no connections"):
        asyncio.run(publisher.publish(b"", "1", {}))
    found.append(FakeLink(FakeProducer(pulsar.Result.Ok)))
    publisher._check()
    assert publisher.trouble() is None
    asyncio.run(publisher.publish(b"", "1", {}))


async def refused(publisher: Publisher, *, probe: bool = False) -> type[Exception] | None:
    try:
        await publisher.publish(b"", "1", {}, probe=probe)
    except (NothingAttempted, InDoubt) as error:
        return type(error)
    return None


def test_while_receipts_fail_to_come_only_a_probe_is_sent_and_its_receipt_ends_that() -> None:
    async def run() -> None:
        producer = FakeProducer(pulsar.Result.Timeout)
        publisher = linked(FakeLink(producer))
        assert await refused(publisher) is InDoubt
        assert (publisher.is_doubted(), publisher.trouble()) == (True, "gives no receipts")
        assert await refused(publisher) is NothingAttempted
        assert await refused(publisher, probe=True) is InDoubt
        assert len(producer.sent) == 2
        producer.result = pulsar.Result.Ok
        assert await refused(publisher, probe=True) is None
        assert not publisher.is_doubted()
        assert await refused(publisher) is None

    asyncio.run(run())


def test_a_callers_event_is_the_probe_if_nobody_else_sends_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        producer = FakeProducer(pulsar.Result.Timeout)
        publisher = linked(FakeLink(producer))
        assert await refused(publisher) is InDoubt
        producer.result = pulsar.Result.Ok
        # The time has come: of two callers at once, one is the probe.
        publisher._probe_at = 0.0
        assert await asyncio.gather(refused(publisher), refused(publisher)) == [None, NothingAttempted]
        assert not publisher.is_doubted()

    asyncio.run(run())
