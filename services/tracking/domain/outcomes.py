"""What a message turned out to be, and the batch of outcomes that is counted as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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

    def bare(self, why: str) -> Rejected:
        """The same without what people chose beside the body, which the store refuses with it."""
        return replace(
            self, reason=f"{self.reason}; kept without key and properties: {why}", partition_key="", properties={}
        )


@dataclass(frozen=True, slots=True)
class InfoRequest:
    """A question of another service: how many interactions a post had, from one day to another, both included. It is
    answered by an event, and not counted. `key` is its message's, and becomes the event's."""

    id: str
    saga_id: str
    correlation_id: str
    key: str
    post_id: str
    first: date
    last: date


Outcome = Interaction | Probe | Rejected | InfoRequest


@dataclass(frozen=True, slots=True)
class Batch:
    """Outcomes sorted by where they are stored, each id once. `messages` is how many came in,
    `redelivered` how many of those the broker had handed out before."""

    messages: int
    redelivered: int
    interactions: Mapping[str, Interaction] = field(default_factory=dict)
    probes: Mapping[tuple[str, int], Probe] = field(default_factory=dict)
    rejected: Mapping[tuple[str, int], Rejected] = field(default_factory=dict)

    @property
    def distinct(self) -> int:
        """How many outcomes it holds: fewer than messages where an id came more than once."""
        return len(self.interactions) + len(self.probes) + len(self.rejected)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch: how many of its outcomes were new, by status; and what stood already under the ids of
    its interactions, None where that can't be seen yet."""

    ok: int = 0
    errors: int = 0
    there: Mapping[str, Interaction | None] = field(default_factory=dict)
