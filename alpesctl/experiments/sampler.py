"""Looks at the run once a second: the ledger's totals, the backlog, the counters. Never holds up the load.

Backlog and counters are read in threads of their own, because their sources may hang while they are paused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from alpesctl.errors import AlpesError
from alpesctl.experiments.ledger import Ledger, Outcome
from alpesctl.experiments.observer import Sample

PERIOD = 1.0  # seconds
STALE = 1.8  # seconds: an older reading is shown as unknown


class Gauge:
    """The latest reading of a source that may be slow or away."""

    def __init__(self, read: Callable[[], int], now: Callable[[], float], stop: threading.Event) -> None:
        self._read = read
        self._now = now
        self._stop = stop
        self._at = 0.0
        self._value: int | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._value = self._read()
                self._at = self._now()
            except AlpesError:  # down or restarting: unknown until it answers again
                self._value = None
            self._stop.wait(PERIOD)

    def value(self) -> int | None:
        return self._value if self._now() - self._at < STALE else None


class Sampler:
    """`due_end` is when the schedule ends, in Unix seconds; 0 for a burst."""

    def __init__(
        self,
        ledger: Ledger,
        backlog: Callable[[], int],
        counted: Callable[[], int],
        now: Callable[[], float],
        report: Callable[[Sample], None],
        memory: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._report = report
        self._stop = threading.Event()
        self._backlog = Gauge(backlog, now, self._stop)
        self._accepted_then = 0  # how many were accepted when the counters were last read
        self._counted = Gauge(lambda: self._read_counted(counted), now, self._stop)
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._memory = memory
        self.usage: dict[str, int] = {}  # each replica's highest memory seen, in bytes
        self.due_end = 0.0
        self.base = 0  # the counters' sum before the run
        self.samples: list[Sample] = []

    def _read_counted(self, counted: Callable[[], int]) -> int:
        value = counted()
        self._accepted_then = self._ledger.tally[Outcome.ACCEPTED]
        return value

    def start(self) -> None:
        self._backlog.start()
        self._counted.start()
        self._thread.start()
        threading.Thread(target=self._watch_memory, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * PERIOD)

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            sample = self._look()
            self.samples.append(sample)
            self._report(sample)

    def _watch_memory(self) -> None:
        while not self._stop.wait(2 * PERIOD):
            try:
                found = self._memory()
            except AlpesError:  # a replica on its way down or up
                continue
            for replica, size in found.items():
                self.usage[replica] = max(size, self.usage.get(replica, 0))

    def _look(self) -> Sample:
        tally = self._ledger.tally
        now = self._now()
        previous = self.samples[-1] if self.samples else None
        seconds = now - previous.at if previous else PERIOD
        sent, accepted, counted = self._ledger.sent_count, tally[Outcome.ACCEPTED], self._counted.value()
        old_counted = previous.counted if previous else None
        counted_rate = None
        if counted is not None and old_counted is not None:
            counted_rate = (counted - old_counted) / seconds
        return Sample(
            at=now,
            sent=sent,
            accepted=accepted,
            in_doubt=tally[Outcome.IN_DOUBT],
            refused=tally[Outcome.REFUSED] + tally[Outcome.REFUSED_IF_ALONE],
            backlog=self._backlog.value(),
            counted=counted,
            waiting=None if counted is None else max(0, self._accepted_then - (counted - self.base)),
            sent_rate=(sent - (previous.sent if previous else 0)) / seconds,
            accepted_rate=(accepted - (previous.accepted if previous else 0)) / seconds,
            counted_rate=counted_rate,
            left=max(0.0, self.due_end - now) if self.due_end else None,
        )
