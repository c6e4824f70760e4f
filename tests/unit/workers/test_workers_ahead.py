"""What is received ahead: ready, in order, never lost or given twice, and never more than is needed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from tests.waiting import eventually
from workers.ahead import Ahead, Ready
from workers.loop import Loop


class FakeConsumer:
    """Gives batches until there are none, then an error if there is one."""

    def __init__(self, batches: list[list[str]], error: Exception | None = None) -> None:
        self.batches = batches
        self.error = error
        self.given: list[str] = []
        self.acknowledged: list[str] = []

    def batch_receive(self) -> list[str]:
        if self.batches:
            batch = self.batches.pop(0)
            self.given += batch
            return batch
        if self.error is not None:
            raise self.error
        return []

    def acknowledge(self, messages: Sequence[Any]) -> None:
        self.acknowledged += messages


def upper(messages: Sequence[str]) -> list[str]:
    return [message.upper() for message in messages]


def received(ahead: Ahead, count: int) -> list[Any]:
    """The batches with so many messages in all."""
    found: list[Any] = []
    eventually(
        lambda: found.extend(filter(None, [ahead.batch_receive()])) or sum(map(len, found)) >= count, what="batches"
    )
    return found


def test_batches_come_ready_and_in_order() -> None:
    with Ahead(FakeConsumer([["a", "b"], ["c"], ["d"]]), upper) as ahead:
        found = received(ahead, 4)
    assert found == [["a", "b"], ["c"], ["d"]]
    assert [batch.made for batch in found] == [["A", "B"], ["C"], ["D"]]
    assert all(isinstance(batch, Ready) for batch in found)


def test_it_holds_no_more_than_one_that_waits_and_one_that_is_made() -> None:
    consumer = FakeConsumer([[str(number)] for number in range(10)])
    with Ahead(consumer, upper) as ahead:
        eventually(lambda: len(consumer.given) == 2, what="two batches ahead")
        assert received(ahead, 1) == [["0"]]
        eventually(lambda: len(consumer.given) == 3, what="the next one")
    assert len(consumer.given) == 3
    assert consumer.acknowledged == []


def test_an_error_of_the_consumer_ends_the_loop_after_what_came_before() -> None:
    consumer = FakeConsumer([["a"]], ConnectionError("gone"))
    handled: list[Any] = []
    ahead = Ahead(consumer, upper)
    with pytest.raises(ConnectionError), ahead:
        Loop(ahead, handled.append, ()).run()
    assert (handled, consumer.acknowledged) == ([["a"]], ["a"])


def test_its_thread_ends_with_it_though_nobody_takes_what_waits() -> None:
    before = threading.active_count()
    with Ahead(FakeConsumer([["a"], ["b"], ["c"]]), upper):
        eventually(lambda: threading.active_count() == before + 1, what="its thread")
    assert threading.active_count() == before
