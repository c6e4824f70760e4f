"""What flags change in a scenario. Pure.

A new rate keeps what the file states, count or duration. A load that becomes shorter or longer keeps its
faults at the same fraction of it. Limits that follow from the rate follow it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from alpesctl.errors import UsageError
from alpesctl.experiments.model import MAX_COUNT, MAX_RATE, MAX_SECONDS, Expect, Fault, Load, Scenario, Thresholds

COUNTED_SHARE = 0.95  # of a lowered rate, counted in a minute


@dataclass(frozen=True)
class Overrides:
    """None or empty leaves the file's value. A plain number for `replicas` or `partitions` means the one
    service or topic that the scenario shapes. Rate in events a second, duration in seconds."""

    rate: float | None = None
    duration: float | None = None
    count: int | None = None
    faults: bool = True
    replicas: int | Mapping[str, int] = field(default_factory=dict)
    partitions: int | Mapping[str, int] = field(default_factory=dict)


def apply(scenario: Scenario, overrides: Overrides) -> Scenario:
    """The scenario with the flags' values; raises UsageError where one can't be used."""
    loads = _loads(scenario, overrides)
    changed = replace(scenario, loads=loads)
    faults = _moved(scenario.faults, scenario.duration, changed.duration) if overrides.faults else ()
    shape = replace(
        scenario.shape,
        replicas=_map(scenario.shape.replicas, overrides.replicas, "replicas", 1_000),
        partitions=_map(scenario.shape.partitions, overrides.partitions, "partitions", 1_000),
    )
    return replace(
        changed,
        faults=faults,
        shape=shape,
        expect=scenario.expect if faults else Expect(),
        thresholds=_thresholds(scenario.thresholds, scenario.rate, changed.rate),
    )


def _loads(scenario: Scenario, overrides: Overrides) -> tuple[Load, ...]:
    """Rate and count are of all loads together: each keeps its share of them."""
    if overrides.duration is not None and overrides.count is not None:
        raise UsageError("--duration and a count exclude each other", out="give one of them")
    if not scenario.rate and (overrides.rate is not None or overrides.duration is not None):
        raise UsageError("a burst has neither rate nor duration", out="set its count instead")
    faster = more = 1.0
    if overrides.rate is not None:
        faster = _within("--rate", overrides.rate, MAX_RATE, "events a second") / scenario.rate
    if overrides.count is not None:
        more = _within("the count", overrides.count, MAX_COUNT, "events") / scenario.count
    if overrides.duration is not None:
        _within("--duration", overrides.duration, MAX_SECONDS, "seconds")
    return tuple(_load(load, overrides, faster, more) for load in scenario.loads)


def _load(load: Load, overrides: Overrides, faster: float, more: float) -> Load:
    rate = load.rate * faster
    duration = load.duration if load.sized_by == "duration" else None
    if overrides.duration is not None:
        duration = overrides.duration
    count = max(1, round(load.count * more))
    if overrides.count is None and duration is not None:
        count = max(1, round(rate * duration))
    return replace(load, rate=rate, count=count)


def _within(name: str, value: float, high: float, unit: str) -> float:
    if not 0 < value <= high:  # also refuses nan
        raise UsageError(
            f"{name} is {value:g}",
            why=f"it must be above 0 and at most {high:,g} {unit}",
            out="choose another value",
        )
    return value


def _moved(faults: tuple[Fault, ...], old: float, new: float) -> tuple[Fault, ...]:
    if not old or old == new:
        return faults
    factor = new / old
    return tuple(replace(f, at=round(f.at * factor, 3), every=round(f.every * factor, 3)) for f in faults)


def _map(given: Mapping[str, int], over: int | Mapping[str, int], what: str, high: int) -> dict[str, int]:
    if isinstance(over, int):
        if len(given) != 1:
            names = ", ".join(given) or "none"
            raise UsageError(f"which {what}?", why=f"the scenario shapes: {names}", out=f"write NAME={over}")
        over = dict.fromkeys(given, over)
    for name, value in over.items():
        if not 1 <= value <= high:
            raise UsageError(
                f"{what} of {name} is {value}",
                why=f"it must be from 1 to {high:,}",
                out="choose another value",
            )
    return {**given, **over}


def _thresholds(thresholds: Thresholds, old: float, new: float) -> Thresholds:
    limit = thresholds.counted_per_minute
    if limit is None or not new or new >= old:
        return thresholds
    return replace(thresholds, counted_per_minute=min(limit, COUNTED_SHARE * new * 60))
