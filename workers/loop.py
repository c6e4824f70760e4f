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
LASTING_WAIT_S = 2.0
# A loop that hasn't come round for this long is stuck: a database that neither answers nor hangs up.
STUCK_S = 20.0
# A stop that takes longer gives up: what isn't acknowledged is redelivered, so nothing is lost.
STOP_S = 25.0

log = structlog.get_logger()


class Consumer(Protocol):
    """Where messages come from. `batch_receive` returns within milliseconds, perhaps with nothing."""

    def batch_receive(self) -> Sequence[Any]: ...
    def acknowledge(self, messages: Sequence[Any]) -> None: ...


class Stopping(Protocol):
    """Whether to stop, like a threading.Event; where a signal sets it, it must take no lock."""

    def is_set(self) -> bool: ...
    def set(self) -> None: ...
    def wait(self, timeout: float) -> bool: ...


class Stopped(Exception):
    """The worker was told to stop before the batch in hand could be committed: it goes to another one."""


class Loop:
    """`handle` returns once the messages are committed.

    An error that `transient` knows means: the same batch again, soon. One that `lasting` knows means: again,
    every LASTING_WAIT_S, and `refusal` says what somebody must mend. Neither acknowledges anything.
    """

    def __init__(
        self,
        consumer: Consumer,
        handle: Callable[[Any], object],
        transient: tuple[type[Exception], ...],
        lasting: tuple[type[Exception], ...] = (),
        stopping: Stopping | None = None,
    ) -> None:
        self._consumer = consumer
        self._handle = handle
        self._transient = transient
        self._lasting = lasting
        self._stopping: Stopping = stopping or threading.Event()
        self.beat = time.monotonic()
        self.refusal: str | None = None

    def stop(self) -> None:
        """Take nothing new; `run` returns once what is in hand is committed and acknowledged."""
        self._stopping.set()

    def run(self) -> None:
        """Until stopped. Raises what `handle` raises and neither `transient` nor `lasting` knows, and whatever
        `batch_receive` or `acknowledge` raises: any such error ends the worker, with its batch unacknowledged."""
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
                self.refusal = None
                return
            except self._lasting as error:
                self.refusal = _line(error)
                log.error("not committed until this is mended", messages=len(messages), error=self.refusal)
                pause = LASTING_WAIT_S
            except self._transient as error:
                self.refusal = None
                log.warning("not committed, trying again", messages=len(messages), wait_s=wait, error=_line(error))
                pause, wait = wait, min(wait * 2, LONGEST_WAIT_S)
            if self._stopping.wait(pause):
                raise Stopped


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
