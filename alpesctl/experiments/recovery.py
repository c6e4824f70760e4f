"""How long the stack took to recover from each turn of a fault, from the ledger and the commits. Pure.

An event is disturbed if it was not accepted, or not counted within `latency` seconds of its due time. A turn's
events are those due from its hit to the next one's, and those that its hit could still catch on their way. It
has recovered at the due time of its last disturbed event, if `CALM` seconds without one follow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alpesctl.experiments.faults import UNDO, FaultEvent
from alpesctl.experiments.ledger import Ledger, Outcome

CALM = 1.0  # seconds


@dataclass(frozen=True)
class Recovery:
    """One turn of a fault. Times are in seconds: `at` after the load's start, the others after the hit; `lifted`
    is when the fault was undone, None where it was not. `recovered` None: not before the next fault, or the
    end. `disturbed` counts events."""

    fault: str
    at: float
    lifted: float | None
    recovered: float | None
    disturbed: int
    in_doubt: int
    refused: int

    @property
    def after_lift(self) -> float | None:
        """Seconds from the fault's end to the recovery; None where there was none."""
        if self.recovered is None:
            return None
        return max(0.0, self.recovered - (self.lifted or 0.0))


def recoveries(
    names: Sequence[str],
    events: Sequence[FaultEvent],
    ledger: Ledger,
    commits: Mapping[bytes, float],
    start: float,
    latency: float,
) -> list[Recovery]:
    """One for each turn that hit something; `names` are the faults' by turn, `start` the load's in Unix seconds."""
    hits: dict[int, float] = {}
    lifts: dict[int, float] = {}
    for event in events:
        if event.error:
            continue
        if event.action in UNDO:
            hits[event.turn] = min(event.at, hits.get(event.turn, math.inf))
        elif event.action in UNDO.values():
            lifts[event.turn] = max(event.done, lifts.get(event.turn, 0.0))
    if not hits:
        return []
    order = sorted(hits, key=lambda turn: hits[turn])
    last_due = max((ledger.due[i] for i in ledger.measured()), default=0.0)
    ends = [*(hits[turn] for turn in order[1:]), last_due + latency]
    windows = {turn: (hits[turn], end) for turn, end in zip(order, ends, strict=True)}
    disturbed = _disturbed(ledger, commits, list(windows.values()), latency)
    return [
        _recovery(names[turn], start, windows[turn], lifts.get(turn), found, latency, ledger)
        for turn, found in zip(order, disturbed, strict=True)
    ]


def _disturbed(
    ledger: Ledger, commits: Mapping[bytes, float], windows: Sequence[tuple[float, float]], latency: float
) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in windows]
    for i in ledger.measured():
        due, at = ledger.due[i], commits.get(ledger.id(i))
        if ledger.outcome[i] == Outcome.ACCEPTED and at is not None and at - due <= latency:
            continue
        for number, (hit, end) in enumerate(windows):
            if hit - latency <= due < end - latency:
                found[number].append(i)
    return found


def _recovery(
    name: str,
    start: float,
    window: tuple[float, float],
    lifted: float | None,
    found: Sequence[int],
    latency: float,
    ledger: Ledger,
) -> Recovery:
    hit, end = window
    last = max((ledger.due[i] for i in found), default=hit)
    outcomes = [Outcome(ledger.outcome[i]) for i in found]
    return Recovery(
        fault=name,
        at=round(hit - start, 3),
        lifted=None if lifted is None else round(lifted - hit, 3),
        recovered=round(max(0.0, last - hit), 3) if last <= end - latency - CALM else None,
        disturbed=len(found),
        in_doubt=outcomes.count(Outcome.IN_DOUBT),
        refused=outcomes.count(Outcome.REFUSED) + outcomes.count(Outcome.REFUSED_IF_ALONE),
    )
