"""Which events of the ledger belong to which load: first every load's warm-up, then what is measured. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from alpesctl.experiments.model import Load


class Layout:
    """`first` of a load's stretch is the number of its first event in the ledger."""

    def __init__(self, loads: Sequence[Load]) -> None:
        self._loads = (*loads, *loads)
        self._first = []
        at = 0
        for count in (*(load.warmup_count for load in loads), *(load.count for load in loads)):
            self._first.append(at)
            at += count
        self.count = at
        self.warmup_count = sum(load.warmup_count for load in loads)

    def first(self, load: int, *, measured: bool) -> int:
        """Of the load's warm-up, or of its measured stretch."""
        return self._first[load + (len(self._loads) // 2 if measured else 0)]

    def load_of(self, index: int) -> Load:
        """The load of an event."""
        return self._loads[bisect_right(self._first, index) - 1]
