"""What a run tells while it goes on; what an Observer shows of it is the observer's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from alpesctl.experiments.faults import FaultEvent
from alpesctl.experiments.model import Scenario


@dataclass(frozen=True)
class Sample:
    """One look per second. Totals since the run's start; rates a second; `left` in seconds.

    `backlog` is the broker's own, in entries (batches); `counted` is the counters' sum of all time; `waiting`
    is how many accepted events aren't counted yet. None where a source did not answer in time."""

    at: float  # Unix seconds
    sent: int
    accepted: int
    in_doubt: int
    refused: int
    backlog: int | None
    counted: int | None
    waiting: int | None
    sent_rate: float
    accepted_rate: float
    counted_rate: float | None
    left: float | None


class Observer(Protocol):
    """Calls come from several threads; each must return at once."""

    def begin(self, scenario: Scenario, run: str) -> None: ...

    def phase(self, name: str, detail: str = "") -> None: ...

    def sample(self, sample: Sample) -> None: ...

    def fault(self, event: FaultEvent) -> None: ...

    def end(self) -> None: ...


class Silent:
    """Shows nothing."""

    def begin(self, scenario: Scenario, run: str) -> None:
        return

    def phase(self, name: str, detail: str = "") -> None:
        return

    def sample(self, sample: Sample) -> None:
        return

    def fault(self, event: FaultEvent) -> None:
        return

    def end(self) -> None:
        return
