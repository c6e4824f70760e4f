"""Receives the next batch, and makes it ready, while the one in hand is being committed.

Must neither commit nor acknowledge: what it holds when the worker ends was never acknowledged, and comes again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from workers.loop import Consumer

WAIT_S = 0.01
LAST_S = 3.0  # for a receive that is under way when the worker ends


class Ready(list[Any]):
    """A batch of messages with what was made of them, in the same order."""

    def __init__(self, messages: Sequence[Any], made: Sequence[Any]) -> None:
        super().__init__(messages)
        self.made = made


class Ahead:
    """A consumer like the one it is given, whose batches are ready. One batch waits, one is being made.

    `prepare` tells what each message of a batch is; it must not raise for anything that a message can hold.
    """

    def __init__(self, consumer: Consumer, prepare: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self._consumer = consumer
        self._prepare = prepare
        self._waiting: queue.Queue[Ready | Exception] = queue.Queue(maxsize=1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)

    def __enter__(self) -> Ahead:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(LAST_S)

    def batch_receive(self) -> Sequence[Any]:
        """A batch that is ready, or nothing after WAIT_S. Raises what the consumer or `prepare` raised."""
        try:
            found = self._waiting.get(timeout=WAIT_S)
        except queue.Empty:
            return []
        if isinstance(found, Exception):
            raise found
        return found

    def acknowledge(self, messages: Sequence[Any]) -> None:
        self._consumer.acknowledge(messages)

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                messages = self._consumer.batch_receive()
                if messages:
                    self._hand_over(Ready(messages, self._prepare(messages)))
        except Exception as error:  # noqa: BLE001 - the thread's boundary: the loop raises it
            self._hand_over(error)

    def _hand_over(self, batch: Ready | Exception) -> None:
        while not self._ended.is_set():
            try:
                self._waiting.put(batch, timeout=0.1)
            except queue.Full:
                continue
            return
