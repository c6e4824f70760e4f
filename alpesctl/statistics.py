"""What the services counted and what waits in the topics, at one moment or as rates between two. Changes nothing."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from alpesctl.errors import AlpesError, StackDownError
from alpesctl.experiments.topic import HOLD_PREFIX
from alpesctl.project import Project
from alpesctl.pulsar_admin import of_each
from alpesctl.runtimes.addresses import resolve
from alpesctl.stack.model import StatsSource

PATIENCE = 10.0  # seconds for one answer


@dataclass(frozen=True)
class Counted:
    """What one source told: `items` as the service gives them."""

    source: StatsSource
    items: Sequence[dict[str, Any]]

    @property
    def total(self) -> int:
        """The sum of the counts: the last column of those that the source names."""
        counts = (item.get(self.source.columns[-1]) for item in self.items if self.source.columns)
        return sum(count for count in counts if isinstance(count, int))


@dataclass(frozen=True)
class Waiting:
    """One subscription of a declared topic; `backlog` in entries."""

    topic: str
    partitions: int
    subscription: str
    kind: str
    backlog: int
    consumers: int


@dataclass(frozen=True)
class Reading:
    """Everything at one moment (seconds on a monotonic clock). `away` says in words what did not answer."""

    at: float
    counted: Sequence[Counted]
    waiting: Sequence[Waiting]
    away: Sequence[str] = ()


@dataclass(frozen=True)
class Rates:
    """Between two readings, a second: what each source counted (by title), how each backlog moved (by topic and
    subscription). What either reading lacks is left out."""

    counted: dict[str, float]
    backlog: dict[tuple[str, str], float]


def read(project: Project, *, patience: float = PATIENCE) -> Reading:
    """A reading of all that answers within `patience` seconds each."""
    at = time.monotonic()
    counted: list[Counted] = []
    found: list[Waiting] = []
    away: list[str] = []
    for source in sources(project):
        try:
            counted.append(count(project, source, patience=patience))
        except AlpesError as error:
            away.append(error.what)
    try:
        found = waiting(project, patience=patience)
    except AlpesError as error:
        away.append(error.what)
    return Reading(at, counted, found, away)


def sources(project: Project) -> list[StatsSource]:
    """What the compose file names, of the services that were brought up; all of it where none was."""
    there = {replica.service for replica in project.runtime.replicas(with_health=False)}
    return [each for each in project.spec.stats if urlsplit(each.url).hostname in there] or list(project.spec.stats)


def count(project: Project, source: StatsSource, *, patience: float = PATIENCE) -> Counted:
    """What the service tells a user of its own; raises StackDownError where it doesn't answer."""
    here = resolve(project.runtime, project.spec, source.url)
    try:
        with urllib.request.urlopen(here, timeout=patience) as answer:
            return Counted(source, list(json.loads(answer.read())["items"]))
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise StackDownError(f"{here} does not answer", why=str(error), out="alpesctl status; alpesctl up") from error


def waiting(project: Project, *, patience: float = PATIENCE) -> list[Waiting]:
    """Every subscription of the declared topics that are there; a run's own hold counts for nobody.

    Raises StackDownError where the broker doesn't answer."""
    if project.spec.pulsar is None:
        return []
    admin = project.admin(timeout=patience)
    there = admin.topics()
    topics = [topic for topic in project.spec.pulsar.topics if topic.name in there]
    return [
        Waiting(
            topic=topic.name,
            partitions=stats.partitions,
            subscription=each.name,
            kind=each.kind,
            backlog=each.backlog,
            consumers=len({name for names in each.consumers.values() for name in names}),
        )
        for topic, stats in zip(topics, of_each(lambda topic: admin.stats(topic.name), topics), strict=True)
        for each in stats.subscriptions.values()
        if not each.name.startswith(HOLD_PREFIX)
    ]


def rates(before: Reading, after: Reading) -> Rates:
    """How fast what both readings hold has moved."""
    seconds = after.at - before.at
    if seconds <= 0:
        return Rates({}, {})
    totals = {each.source.title: each.total for each in before.counted}
    backlogs = {(each.topic, each.subscription): each.backlog for each in before.waiting}
    return Rates(
        {
            each.source.title: (each.total - totals[each.source.title]) / seconds
            for each in after.counted
            if each.source.title in totals
        },
        {
            key: (each.backlog - backlogs[key]) / seconds
            for each in after.waiting
            if (key := (each.topic, each.subscription)) in backlogs
        },
    )
