"""What a message turned out to be, and the batch of outcomes that is counted as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from services.tracking.domain.interaction import Interaction


@dataclass(frozen=True, slots=True)
class Probe:
    """A message without a name: counted `ok`, its body not read. `day` is that of its publication."""

    id: str
    generation: int
    day: date


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that can't be counted as what it claims to be: counted `error`, kept as it came."""

    id: str
    generation: int
    day: date
    reason: str
    topic: str
    partition_key: str
    properties: Mapping[str, str]
    body: bytes


Outcome = Interaction | Probe | Rejected


@dataclass(frozen=True, slots=True)
class Batch:
    """Outcomes sorted by where they are stored, each id once. `messages` is how many came in,
    `redelivered` how many of those the broker had handed out before."""

    messages: int
    redelivered: int
    interactions: Mapping[str, Interaction] = field(default_factory=dict)
    probes: Mapping[tuple[str, int], Probe] = field(default_factory=dict)
    rejected: Mapping[tuple[str, int], Rejected] = field(default_factory=dict)
