"""What the sources said, as plain data: rows, counters, deliveries, log lines, what a topic held. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from alpesctl.experiments.ids import as_bytes
from alpesctl.experiments.model import OK, AccessLog

Tally = Mapping[tuple[str, str], int]  # (day, status) → number


@dataclass(frozen=True)
class Row:
    """One counted event; `committed` in Unix seconds; `counted_as` ok or rejected."""

    id: bytes
    committed: float | None
    worker: str
    counted_as: str = OK


@dataclass(frozen=True)
class Snapshot:
    """Counters, the rows that they stand for, and who received again (worker → redelivered, absorbed)."""

    counters: Tally
    tally: Tally
    deliveries: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class LogEntry:
    """One request in the access log: the final status and how many upstreams were tried."""

    status: int
    upstreams: int


@dataclass(frozen=True)
class TopicRead:
    """What a topic held since the run's start; `ids` counts each id's messages."""

    ids: Mapping[bytes, int]
    messages: int
    without_id: int
    seconds: float


def parse_access_log(lines: Iterable[str], names: AccessLog) -> dict[bytes, list[LogEntry]]:
    """Requests by their key; lines that are no JSON object, or whose key is no UUID, aren't the run's."""
    found: dict[bytes, list[LogEntry]] = defaultdict(list)
    for line in lines:
        text = line.strip()
        if not text.startswith("{"):
            continue
        try:
            entry = json.loads(text)
            key = as_bytes(entry[names.key])
            status = int(entry[names.status])
        except (ValueError, KeyError, TypeError):
            continue
        if key is not None:
            found[key].append(LogEntry(status, upstreams(str(entry.get(names.upstreams, "")))))
    return dict(found)


def upstreams(text: str) -> int:
    """How many upstreams nginx tried: it separates them by commas, and by colons between groups."""
    return sum(bool(part.strip(" -")) for part in text.replace(" : ", ",").split(","))


def body_id(body: bytes, name: str) -> bytes | None:
    """The id in a message's JSON body, None where there is none."""
    try:
        return as_bytes(json.loads(body)[name])
    except (ValueError, KeyError, TypeError):
        return None


def movement(before: Tally, after: Tally) -> dict[tuple[str, str], int]:
    """How far each (day, status) moved; what did not move is left out."""
    moved = {key: after.get(key, 0) - before.get(key, 0) for key in {*before, *after}}
    return {key: moved[key] for key in sorted(moved) if moved[key]}


def redelivered(before: Snapshot, after: Snapshot) -> dict[str, tuple[int, int]]:
    """By worker: messages received again, and messages that were already counted, since `before`."""
    moved = {}
    for worker, (again, absorbed) in sorted(after.deliveries.items()):
        old = before.deliveries.get(worker, (0, 0))
        if (again, absorbed) != old:
            moved[worker] = (again - old[0], absorbed - old[1])
    return moved


def by_worker(rows: Sequence[Row]) -> dict[str, int]:
    counted: dict[str, int] = defaultdict(int)
    for row in rows:
        counted[row.worker] += 1
    return dict(sorted(counted.items()))
