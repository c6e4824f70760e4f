"""What happened in each second of the measured load, from the ledger and the commit times. Pure.

Second 0 begins with the load. Latencies stand at the second in which their events were due.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alpesctl.experiments.latency import percentile
from alpesctl.experiments.ledger import Ledger, Outcome

MOST_SECONDS = 7_200  # a longer run's later seconds aren't drawn


@dataclass(frozen=True)
class Samples:
    """Latencies in seconds of the measured events, and their counted ids' first and last commit (Unix)."""

    committed: list[float]
    answered: list[float]
    first_commit: float
    last_commit: float


def samples(ledger: Ledger, commits: Mapping[bytes, float]) -> Samples:
    committed, answered = [], []
    first, last = math.inf, 0.0
    for i in ledger.measured():
        if ledger.outcome[i] == Outcome.ACCEPTED:
            answered.append(ledger.answered[i] - ledger.due[i])
        at = commits.get(ledger.id(i))
        if at is not None:
            committed.append(at - ledger.due[i])
            first, last = min(first, at), max(last, at)
    return Samples(committed, answered, first, last)


def per_second(ledger: Ledger, commits: Mapping[bytes, float], start: float) -> list[dict[str, Any]]:
    """One entry a second: sent, accepted, in_doubt, refused, counted, and committed's p50, p99, max."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    latencies: dict[int, list[float]] = defaultdict(list)
    names = {
        Outcome.ACCEPTED: "accepted",
        Outcome.REFUSED: "refused",
        Outcome.REFUSED_IF_ALONE: "refused",
        Outcome.IN_DOUBT: "in_doubt",
    }
    for i in ledger.measured():
        if not ledger.sent[i]:
            continue
        counts[math.floor(ledger.sent[i] - start)]["sent"] += 1
        name = names.get(Outcome(ledger.outcome[i]))
        if name:
            counts[math.floor(ledger.answered[i] - start)][name] += 1
        at = commits.get(ledger.id(i))
        if at is not None:
            counts[math.floor(at - start)]["counted"] += 1
            latencies[math.floor(ledger.due[i] - start)].append(at - ledger.due[i])
    seconds = range(min(max([*counts, -1]) + 1, MOST_SECONDS))
    return [_second(t, counts[t], sorted(latencies[t])) for t in seconds]


def _second(t: int, count: Mapping[str, int], ordered: list[float]) -> dict[str, Any]:
    numbers = {name: count.get(name, 0) for name in ("sent", "accepted", "refused", "in_doubt", "counted")}
    if not ordered:
        return {"t": t, **numbers, "p50": None, "p99": None, "max": None}
    return {
        "t": t,
        **numbers,
        "p50": round(percentile(ordered, 50.0), 6),
        "p99": round(percentile(ordered, 99.0), 6),
        "max": round(ordered[-1], 6),
    }
