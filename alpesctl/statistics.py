"""What the services counted and what waits in the topics, at one moment or as rates between two. Changes nothing."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from alpesctl.errors import AlpesError, StackDownError, UsageError
from alpesctl.experiments.topic import HOLD_PREFIX
from alpesctl.project import Project
from alpesctl.pulsar_admin import of_each
from alpesctl.runtimes.addresses import resolve
from alpesctl.stack.model import StatsSource

PATIENCE = 10.0  # seconds for one answer
WAITING = "Waiting in the topics"


@dataclass(frozen=True)
class Counted:
    """What one source told at `url` on this machine: `items` as the service gives them; `next_cursor` is "" where
    they are all."""

    source: StatsSource
    items: Sequence[dict[str, Any]]
    url: str = ""
    next_cursor: str = ""

    @property
    def total(self) -> int | None:
        """The sum of the source's total column; None where it has none, or where this is only a page."""
        if not self.source.total or self.next_cursor:
            return None
        counts = (item.get(self.source.total) for item in self.items)
        return sum(count for count in counts if isinstance(count, int))

    def first(self) -> list[dict[str, Any]]:
        """As many of the items as the source wants shown."""
        if not self.source.shown or not self.source.columns:
            return list(self.items)
        by = self.source.columns[0]
        wanted = list(dict.fromkeys(str(item.get(by)) for item in self.items))[: self.source.shown]
        return [item for item in self.items if str(item.get(by)) in wanted]

    @property
    def next_url(self) -> str:
        """Where the next page is, on this machine; "" where there is none."""
        if not self.next_cursor:
            return ""
        return f"{self.url}{'&' if '?' in self.url else '?'}{urlencode({'cursor': self.next_cursor})}"


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
class Away:
    """What could not be told, by its title, and the error: what did not answer, why, the way out."""

    title: str
    what: str
    why: str = ""
    out: str = ""


@dataclass(frozen=True)
class Reading:
    """Everything at one moment (seconds on a monotonic clock). `waiting` is None where the broker was not asked, or
    did not answer."""

    at: float
    counted: Sequence[Counted]
    waiting: Sequence[Waiting] | None
    away: Sequence[Away] = ()

    def require_an_answer(self) -> None:
        """Raises StackDownError, with each reason, where nothing answered."""
        if self.away and not self.counted and self.waiting is None:
            why = "; ".join(dict.fromkeys(each.what for each in self.away))
            raise StackDownError("nothing of the stack answers", why=why, out="alpesctl status; alpesctl up")


@dataclass(frozen=True)
class Rates:
    """Between two readings, a second: what each source with a total counted (by title), how each backlog moved (by
    topic and subscription). What either reading lacks is left out."""

    counted: dict[str, float]
    backlog: dict[tuple[str, str], float]


def read(project: Project, *, patience: float = PATIENCE) -> Reading:
    """A reading of all that answers within `patience` seconds each; a service that did not isn't waited for again."""
    at = time.monotonic()
    counted: list[Counted] = []
    found: list[Waiting] | None = None
    away: list[Away] = []
    silent: dict[str | None, AlpesError] = {}
    for source in sources(project):
        service = urlsplit(source.url).hostname
        if service in silent:
            away.append(_away(source.title, silent[service]))
            continue
        try:
            counted.append(count(project, source, patience=patience))
        except UsageError:  # the compose file is wrong, not the stack
            raise
        except AlpesError as error:
            away.append(_away(source.title, error))
            if not isinstance(error, _Refused):
                silent[service] = error
    try:
        found = waiting(project, patience=patience) if project.spec.pulsar else None
    except AlpesError as error:
        away.append(_away(WAITING, error))
    return Reading(at, counted, found, away)


def _away(title: str, error: AlpesError) -> Away:
    return Away(title, error.what, error.why, error.out)


def sources(project: Project) -> list[StatsSource]:
    """What the compose file names, of the services that were brought up; all of it where none was."""
    there = {replica.service for replica in project.runtime.replicas(with_health=False)}
    return [each for each in project.spec.stats if urlsplit(each.url).hostname in there] or list(project.spec.stats)


class _Refused(StackDownError):
    """The service answered, but not with what was asked for."""


def count(project: Project, source: StatsSource, *, patience: float = PATIENCE) -> Counted:
    """What the service tells a user of its own; raises StackDownError where it doesn't answer, or with an error."""
    service = urlsplit(source.url).hostname
    here = resolve(project.runtime, project.spec, source.url)
    out = "alpesctl doctor; alpesctl up"
    try:
        with urllib.request.urlopen(here, timeout=patience) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        raise _Refused(f"{service} answers {error.code}: {_reason(error)}", why=here, out=out) from error
    except (OSError, HTTPException) as error:
        why = f"{here}: {getattr(error, 'reason', error)}"
        raise StackDownError(f"{service} does not answer", why=why, out=out) from error
    try:
        told = json.loads(body)
        items = [dict(item) for item in told["items"]]
        return Counted(source, items, here, str(told.get("next_cursor") or ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"{here}: no JSON with a list of items"
        raise _Refused(f"{service} answers what can't be read", why=why, out=f"curl -s '{here}'") from error


def _reason(error: urllib.error.HTTPError) -> str:
    """What the service says of it (RFC 9457's detail), else the status in words."""
    with error:
        try:
            return str(json.loads(error.read())["detail"])
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            return str(error.reason)


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
    backlogs = {(each.topic, each.subscription): each.backlog for each in before.waiting or ()}
    return Rates(
        {
            each.source.title: (each.total - earlier) / seconds
            for each in after.counted
            if each.total is not None and (earlier := totals.get(each.source.title)) is not None
        },
        {
            key: (each.backlog - backlogs[key]) / seconds
            for each in after.waiting or ()
            if (key := (each.topic, each.subscription)) in backlogs
        },
    )
