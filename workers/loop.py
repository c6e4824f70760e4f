"""The loop of every worker: receive, decode, hand over, commit, acknowledge. In that order.

Must know neither what the messages mean nor how they are stored.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog

FIRST_WAIT_S = 0.05
LONGEST_WAIT_S = 0.5

log = structlog.get_logger()


class Consumer(Protocol):
    """Where messages come from. `batch_receive` returns within milliseconds, perhaps with nothing."""

    def batch_receive(self) -> Sequence[Any]: ...
    def acknowledge(self, messages: Sequence[Any]) -> None: ...


class Stopped(Exception):
    """The worker was told to stop before the batch in hand could be committed: it goes to another one."""


class Loop:
    """`handle` returns once the messages are committed; an error that `transient` knows means: again."""

    def __init__(
        self,
        consumer: Consumer,
        handle: Callable[[Sequence[Any]], object],
        transient: tuple[type[Exception], ...],
    ) -> None:
        self._consumer = consumer
        self._handle = handle
        self._transient = transient
        self._stopping = threading.Event()
        self.beat = time.monotonic()

    def stop(self) -> None:
        """Take nothing new; `run` returns once what is in hand is committed and acknowledged."""
        self._stopping.set()

    def run(self) -> None:
        """Until stopped. Raises what is neither the database's nor the broker's passing trouble."""
        while not self._stopping.is_set():
            self.beat = time.monotonic()
            messages = self._consumer.batch_receive()
            if messages:
                try:
                    self._commit(messages)
                    self._consumer.acknowledge(messages)
                except Stopped:
                    log.warning("stopped before the batch was committed", messages=len(messages))

    def _commit(self, messages: Sequence[Any]) -> None:
        wait = FIRST_WAIT_S
        while True:
            self.beat = time.monotonic()
            try:
                self._handle(messages)
                return
            except self._transient as error:
                log.warning("not committed, trying again", messages=len(messages), wait_s=wait, error=_line(error))
            if self._stopping.wait(wait):
                raise Stopped
            wait = min(wait * 2, LONGEST_WAIT_S)


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
