"""A scenario as frozen data: load, event, faults, how to read back what was counted, thresholds.

All times are in seconds, all rates in events a second. Knows no service, topic or field by name:
that stands in the scenario's file. Must not read files or the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_RATE = 100_000.0  # events a second
MAX_COUNT = 10_000_000  # events
MAX_SECONDS = 86_400.0
ID_TOKEN = "{id}"  # in an event's strings: replaced by the event's id
OK, REJECTED = "ok", "rejected"  # what an event must be counted as
EVERY = 0  # in place of a replica's number: each of them


@dataclass(frozen=True)
class Shape:
    """What the run changes before it starts: partitions by topic, replicas by service.

    `held` services are stopped while the load is sent, and started afterwards (a drain).
    """

    partitions: Mapping[str, int] = field(default_factory=dict)
    replicas: Mapping[str, int] = field(default_factory=dict)
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """An event's content; `{id}` in a string is its id. `buckets` > 0: its key is crc32(id) % buckets.

    `raw`, where it is not empty, is the body as it stands, in place of `body`: it need not be JSON."""

    body: Mapping[str, Any]
    properties: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    buckets: int = 0
    raw: bytes = b""


@dataclass(frozen=True)
class Load:
    """What is sent: `kind` pulsar or http, to `target` (a topic, or a URL as the stack knows it), `events` in
    turn.

    `model` open: event i is due at start + i/rate, whatever became of those before it. `model` burst: as fast
    as receipts allow, at most `pending` unanswered. `rate` of a burst is 0: there is no schedule.
    `counted_as` ok: each must have a row; rejected: each must be kept as one that could not be used.
    """

    kind: str
    model: str
    target: str
    rate: float
    count: int
    events: tuple[Event, ...] = ()
    counted_as: str = OK
    sized_by: str = "count"  # what the file states: count or duration; a new rate keeps that one
    timeout: float = 10.0
    pending: int = 10_000
    warmup_rate: float = 0.0
    warmup_duration: float = 0.0
    connections: int = 1_000  # http only; too few, and a stall of the stack makes the generator late
    method: str = "POST"
    accepted: tuple[int, ...] = (201,)
    refused_problem: str = ""  # a 503 of this problem type attempted nothing
    batch_delay: float = 0.005  # pulsar only

    @property
    def duration(self) -> float:
        """Seconds from the first due time to the end of the schedule; 0 for a burst."""
        return self.count / self.rate if self.rate else 0.0

    @property
    def warmup_count(self) -> int:
        return round(self.warmup_rate * self.warmup_duration)


@dataclass(frozen=True)
class Step:
    """One step of a fault.

    `action`: kill, pause, stop (the service's own signal and grace), wait (`seconds`), or await: the
    subscription has at least `at_least` unacknowledged messages, within `within` seconds. A kill or stop is
    started again after `restart_after` (0: as soon as it is down, a restart), a pause is lifted after `seconds`;
    without it, the run's end (or a kill) ends it. `replica` EVERY: each of the service's replicas.
    """

    action: str
    service: str = ""
    replica: int = 1
    restart_after: float | None = None
    seconds: float | None = None
    condition: str = ""
    at_least: int = 1
    within: float = 10.0


@dataclass(frozen=True)
class Fault:
    """Steps in order, from `at` seconds after the measured load's start; `repeat` times, `every` seconds."""

    at: float
    steps: tuple[Step, ...]
    repeat: int = 1
    every: float = 0.0
    name: str = ""


@dataclass(frozen=True)
class AccessLog:
    """Whose log lines are JSON objects, one a request, and under which names: key, status, upstreams."""

    service: str
    key: str = "key"
    status: str = "status"
    upstreams: str = "upstreams"


@dataclass(frozen=True)
class Readback:
    """How what was counted is read back; SQL in PostgreSQL's dialect, run in one snapshot.

    rows: %(ids)s → id, committed (Unix seconds), who counted. rejected: the same of those that could not be
    used. tally: day, status, rows. counters: day, status, count. deliveries: worker, redelivered, absorbed
    (totals). pending: name → SQL of one number that is 0 once settled. `id_field` is the member of a message's
    JSON body that holds its id; where that has none, the property `id_property` does.
    """

    database: str
    topic: str
    subscription: str
    rows: str
    tally: str
    counters: str
    rejected: str = ""
    deliveries: str = ""
    pending: Mapping[str, str] = field(default_factory=dict)
    id_field: str = "id"
    id_property: str = ""
    access_log: AccessLog | None = None
    settle_timeout: float = 120.0


@dataclass(frozen=True)
class Thresholds:
    """Limits; None is not checked. Latencies in seconds: due → committed, and due → answered."""

    lost: int = 0
    duplicated: int = 0
    accepted_percent: float | None = None
    latency_p50: float | None = None
    latency_p99: float | None = None
    latency_max: float | None = None
    answer_p99: float | None = None
    counted_per_minute: float | None = None
    drained_per_second: float | None = None
    worker_share_percent: float | None = None
    recovered_within: float | None = None  # seconds after a fault was lifted
    recovered_latency: float = 1.0  # seconds, due → committed: above it, an event was disturbed


@dataclass(frozen=True)
class Expect:
    """What must have happened for the run to mean anything; less, and it is void."""

    redelivered: int = 0  # messages delivered again
    retried: int = 0  # requests that were sent to a second upstream


@dataclass(frozen=True)
class VersionProbe:
    """A command run beside a service's first replica; the first line that it prints is the version."""

    service: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    loads: tuple[Load, ...]
    readback: Readback
    shape: Shape = Shape()
    faults: tuple[Fault, ...] = ()
    thresholds: Thresholds = Thresholds()
    expect: Expect = Expect()
    versions: Mapping[str, VersionProbe] = field(default_factory=dict)
    source: str = ""

    @property
    def rate(self) -> float:
        """Events a second of all loads together; 0 for a burst."""
        return sum(load.rate for load in self.loads)

    @property
    def duration(self) -> float:
        """Seconds from the first due time to the end of the longest schedule; 0 for a burst."""
        return max(load.duration for load in self.loads)

    @property
    def count(self) -> int:
        return sum(load.count for load in self.loads)

    @property
    def warmup_count(self) -> int:
        return sum(load.warmup_count for load in self.loads)
