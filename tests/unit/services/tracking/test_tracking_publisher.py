"""The publisher: a receipt, nothing attempted, or in doubt; receipts come from another thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pulsar
import pytest

from services.tracking.adapters import publisher as module
from services.tracking.adapters.publisher import InDoubt, NothingAttempted, Publisher


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


def publish(producer: FakeProducer, times: int = 1) -> None:
    async def run() -> None:
        publisher = Publisher(FakeLink(producer))
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
    Publisher(FakeLink(FakeProducer(None)))._received(loop, receipt, pulsar.Result.AlreadyClosed, None)


def test_the_links_thread_outlives_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = threading.Semaphore(0)

    class Broken(FakeLink):
        def check(self) -> None:
            checked.release()
            raise KeyError("bug")

    monkeypatch.setattr(module, "CHECK_PERIOD_S", 0.001)
    publisher = Publisher(Broken(FakeProducer(None)))
    publisher.keep()
    assert all(checked.acquire(timeout=5) for _ in range(2))
    publisher.close()
