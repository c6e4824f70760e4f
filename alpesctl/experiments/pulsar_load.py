"""Load over Pulsar: one producer at a time, receipts awaited, batches by key. An adapter; never sends an event twice.

A receipt is *accepted*. A failure before anything was handed to the broker is *refused*; any other end leaves
the event in doubt.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alpesctl.errors import StackDownError
from alpesctl.experiments.generator import TICK, Stretch
from alpesctl.experiments.ids import as_text
from alpesctl.experiments.ledger import Outcome
from alpesctl.experiments.model import Load
from alpesctl.experiments.producers import Made, Producers, accepts_connections
from alpesctl.experiments.template import InTurn

# The client refused the event itself: nothing of it has left this process.
NOT_ATTEMPTED = frozenset({"ProducerQueueIsFull", "MessageTooBig", "MemoryBufferIsFull"})
BURST_STEP = 512  # events between two looks at what is pending, where so many may be


def classify(result: str) -> Outcome:
    """The outcome of a send whose callback brought `result` (the name of a Pulsar result)."""
    if result == "Ok":
        return Outcome.ACCEPTED
    return Outcome.REFUSED if result in NOT_ATTEMPTED else Outcome.IN_DOUBT


class PulsarLoad:
    """`url` is the broker's as this machine reaches it, `topic` a full name; the client's own
    log goes to `log`. Use as a context manager."""

    def __init__(self, url: str, topic: str, load: Load, log: Path) -> None:
        self._load = load
        self._event = InTurn(load.events)
        self._producers = Producers(lambda: _made(url, topic, load, log), lambda: accepts_connections(url))

    def __enter__(self) -> PulsarLoad:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, stretch: Stretch) -> None:
        """Send the stretch's events when they are due, then wait for the last receipts."""
        if stretch.schedule.rate:
            self._open(stretch)
        else:
            self._burst(stretch)
        self._drain(stretch)

    def _open(self, stretch: Stretch) -> None:
        schedule, clock = stretch.schedule, stretch.clock
        done = 0
        while done < schedule.count and not stretch.stop.is_set():
            self._producers.tend(time.monotonic())
            due = schedule.due_by(clock.now())
            while done < due:
                self._send(stretch, done)
                done += 1
            if done < schedule.count:
                time.sleep(min(TICK, max(0.0, schedule.due(done) - clock.now())))

    def _burst(self, stretch: Stretch) -> None:
        ledger, done = stretch.ledger, 0
        step = min(BURST_STEP, self._load.pending)
        before = ledger.answered_count()
        while done < stretch.schedule.count and not stretch.stop.is_set():
            self._producers.tend(time.monotonic())
            if done - (ledger.answered_count() - before) > self._load.pending - step:
                time.sleep(TICK)
                continue
            for _ in range(min(step, stretch.schedule.count - done)):
                self._send(stretch, done)
                done += 1

    def _send(self, stretch: Stretch, number: int) -> None:
        ledger, index = stretch.ledger, stretch.first + number
        event_id = as_text(ledger.ids[16 * index : 16 * index + 16])
        now = stretch.clock.now()
        due = stretch.schedule.due(number) if stretch.schedule.rate else now
        ledger.send(index, due, now)
        event = self._event(number, event_id)
        try:
            self._producers.current.send_async(
                event.body, _callback(stretch, index), properties=event.properties, partition_key=event.key
            )
        except Exception as error:  # noqa: BLE001 - the binding raises many kinds; the event's fate is what counts
            ledger.answer(index, Outcome.IN_DOUBT, stretch.clock.now(), type(error).__name__)

    def _drain(self, stretch: Stretch) -> None:
        """Every event ends: by receipt, or by the send timeout, which the client enforces itself."""
        deadline = time.monotonic() + self._load.timeout + 5.0
        last = range(stretch.first, stretch.first + stretch.schedule.count)
        while time.monotonic() < deadline and not stretch.stop.is_set():
            if not any(stretch.ledger.outcome[i] == Outcome.PENDING for i in reversed(last)):
                return
            time.sleep(0.01)

    def close(self) -> None:
        self._producers.close()


def _made(url: str, topic: str, load: Load, log: Path) -> Made:
    """A client with its producer. Raises StackDownError where the broker gives none."""
    import pulsar  # deferred: 40 ms, and only a run needs it

    logger = pulsar.FileLogger(pulsar.LoggerLevel.Warn, str(log))  # its other loggers write to stdout
    client = pulsar.Client(url, logger=logger, operation_timeout_seconds=5, connection_timeout_ms=2000)
    try:
        producer = client.create_producer(
            topic,
            send_timeout_millis=int(load.timeout * 1000),
            max_pending_messages=load.pending,
            max_pending_messages_across_partitions=10 * load.pending,
            block_if_queue_full=False,
            batching_enabled=True,
            batching_type=pulsar.BatchingType.KeyBased,
            batching_max_messages=4096,
            batching_max_allowed_size_in_bytes=1 << 20,
            batching_max_publish_delay_ms=max(1, round(load.batch_delay * 1000)),
        )
    except pulsar.PulsarException as error:
        client.close()
        raise StackDownError(f"no producer on {topic}", why=str(error), out="alpesctl status") from error
    return Made(client, producer)


def _callback(stretch: Stretch, index: int) -> Callable[[Any, Any], None]:
    ledger, clock = stretch.ledger, stretch.clock

    def done(result: Any, _message_id: Any) -> None:
        name = result.name
        outcome = classify(name)
        ledger.answer(index, outcome, clock.now(), "" if outcome is Outcome.ACCEPTED else name)

    return done
