"""The ledger: what was sent and what was answered, per event. The first of the three sources.

Compact in memory (arrays, 16 bytes an id); on disk a gzipped CSV, a line an event. Times are Unix seconds,
0 where it didn't happen. Must not know how events are sent.
"""

from __future__ import annotations

import csv
import gzip
import threading
from array import array
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

from alpesctl.experiments.ids import as_text, new_ids


class Outcome(IntEnum):
    """Accepted is counted once; refused never; in doubt (any other end) at most once."""

    UNSENT = 0
    PENDING = 1
    ACCEPTED = 2
    REFUSED = 3
    REFUSED_IF_ALONE = 4  # refused, provided that only one replica was asked: the access log says so
    IN_DOUBT = 5


COLUMNS = ("id", "phase", "due", "sent", "answered", "outcome", "detail")
WARMUP, MEASURED = 0, 1


class Ledger:
    """Events 0..warmup-1 are the warm-up's, the rest is measured. One writer per event."""

    def __init__(self, count: int, warmup: int = 0) -> None:
        self.count = count
        self.warmup = warmup
        self.ids = new_ids(count)
        self.due = array("d", bytes(8 * count))
        self.sent = array("d", bytes(8 * count))
        self.answered = array("d", bytes(8 * count))
        self.outcome = array("B", bytes(count))
        self._detail = array("H", bytes(2 * count))
        self._details = [""]
        self._detail_of = {"": 0}
        self._lock = threading.Lock()
        self.sent_count = 0
        self.tally = [0] * len(Outcome)

    def id(self, index: int) -> bytes:
        return bytes(self.ids[16 * index : 16 * index + 16])

    def text(self, index: int) -> str:
        return as_text(self.ids[16 * index : 16 * index + 16])

    def detail(self, index: int) -> str:
        return self._details[self._detail[index]]

    def phase(self, index: int) -> int:
        return WARMUP if index < self.warmup else MEASURED

    def measured(self) -> range:
        return range(self.warmup, self.count)

    def send(self, index: int, due: float, now: float) -> None:
        """The event is being sent; until it is answered it is pending."""
        self.due[index] = due
        self.sent[index] = now
        self.outcome[index] = Outcome.PENDING
        with self._lock:  # several loads may send at once
            self.sent_count += 1

    def answer(self, index: int, outcome: Outcome, now: float, detail: str = "") -> None:
        with self._lock:
            self.answered[index] = now
            self.outcome[index] = outcome
            self.tally[outcome] += 1
            if detail:
                self._detail[index] = self._intern(detail)

    def close(self, now: float) -> None:
        """What was never answered is in doubt."""
        for index in range(self.count):
            if self.outcome[index] == Outcome.PENDING:
                self.answer(index, Outcome.IN_DOUBT, now, "no answer")

    def answered_count(self) -> int:
        return sum(self.tally)

    def index(self) -> dict[bytes, int]:
        """From id to the event's number."""
        return {self.id(i): i for i in range(self.count)}

    def numbers(self, *outcomes: Outcome) -> Iterator[int]:
        wanted = frozenset(outcomes)
        return (i for i, value in enumerate(self.outcome) if value in wanted)

    def _intern(self, detail: str) -> int:
        known = self._detail_of.get(detail)
        if known is None:
            if len(self._details) == 65_535:  # the array's limit; no run has that many different answers
                return self._intern("other")
            known = self._detail_of[detail] = len(self._details)
            self._details.append(detail)
        return known

    def save(self, path: Path) -> None:
        with gzip.open(path, "wt", compresslevel=3, newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(self._rows())

    def _rows(self) -> Iterator[tuple[object, ...]]:
        names = [outcome.name.lower() for outcome in Outcome]
        for i in range(self.count):
            times = (f"{self.due[i]:.6f}", f"{self.sent[i]:.6f}", f"{self.answered[i]:.6f}")
            yield self.text(i), self.phase(i), *times, names[self.outcome[i]], self.detail(i)
