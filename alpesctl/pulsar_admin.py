"""Pulsar's admin REST API, typed: the few calls that alpesctl needs. No JVM, one HTTP call each.

Source: Pulsar 4.0's admin REST API, v2. Must not decide anything about the stack.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from alpesctl.errors import StackDownError, UsageError
from alpesctl.stack.model import NAMESPACE
from alpesctl.stack.retention import BacklogQuota, Retention

# Calls under way: a broker answers one in a few milliseconds.
_AT_ONCE = 4

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class SubscriptionStats:
    """One subscription of a topic, summed over its partitions.

    `backlog` is in entries: a batch is one. `consumers` maps a partition's full name to the names of the
    consumers connected to it. `messages_out` counts deliveries, repeated ones too, since the topic was loaded.
    `seen_in` is in how many partitions (1: a topic without) the broker's answer shows it.
    """

    name: str
    kind: str
    backlog: int
    unacknowledged: int
    rate_out: float
    consumers: Mapping[str, tuple[str, ...]]
    messages_out: int = 0
    seen_in: int = 0


@dataclass(frozen=True)
class TopicStats:
    """`rate_in` in messages a second; `partitions` is 0 for a topic that isn't partitioned.

    `producers` maps a partition's full name to the names of the producers connected to it. `answered` is how
    many of the partitions (1: a topic without) the broker gave figures for: it leaves out those that fail.
    """

    name: str
    partitions: int
    messages_in: int
    rate_in: float
    storage_bytes: int
    producers: Mapping[str, tuple[str, ...]]
    subscriptions: Mapping[str, SubscriptionStats]
    answered: int = 0

    @property
    def whole(self) -> bool:
        """Whether every partition's figures are in it."""
        return self.answered == max(1, self.partitions)

    def backlog(self, subscription: str) -> int:
        """The subscription's backlog, in entries; raises where a partition's is unknown, which isn't 0."""
        wanted = max(1, self.partitions)
        if not self.whole:
            raise StackDownError(
                f"Pulsar gave figures for {self.answered} of {wanted} partitions of {self.name}",
                why="it leaves out those that it can't ask",
                out="alpesctl status",
            )
        own = self.subscriptions.get(subscription)
        if own is None or own.seen_in != wanted:
            seen = 0 if own is None else own.seen_in
            raise StackDownError(
                f"{subscription} is in {seen} of {wanted} partitions of {self.name}",
                why="where it is missing, its backlog is unknown",
                out="alpesctl up creates it",
            )
        return own.backlog


class PulsarAdmin:
    """A client of one broker's admin endpoint, for one namespace (`tenant/namespace`)."""

    def __init__(self, base_url: str, namespace: str = "public/default", *, timeout: float = 10.0) -> None:
        self._base = base_url.rstrip("/") + "/admin/v2"
        self.namespace = namespace
        self._timeout = timeout

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        raw = self._raw(method, path, body)
        return json.loads(raw) if raw else None

    def _raw(self, method: str, path: str, body: Any = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._base}/{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            detail = _reason(error)
            raise PulsarRefused(f"Pulsar refused {method} {path}", error.code, detail) from error
        except (OSError, http.client.HTTPException) as error:
            raise StackDownError(
                "Pulsar's admin endpoint does not answer",
                why=str(error),
                out="alpesctl status shows whether pulsar runs; alpesctl up starts it",
            ) from error

    def _topic(self, topic: str) -> str:
        return f"persistent/{self.namespace}/{urllib.parse.quote(topic, safe='')}"

    def partitions(self, topic: str) -> int | None:
        """The number of partitions; 0 for an unpartitioned topic, None where there is no such topic."""
        try:
            metadata = self._call("GET", f"{self._topic(topic)}/partitions?checkAllowAutoCreation=false")
        except PulsarRefused as error:
            if error.status == 404:
                return None
            raise
        count = int(metadata.get("partitions", 0))
        if count == 0 and not self._exists(topic):
            return None
        return count

    def _exists(self, topic: str) -> bool:
        return topic in self._names()

    def _names(self, which: str = "") -> list[str]:
        """The short names of all topics, each partition one; or those of `/partitioned` ones."""
        return [str(name).rsplit("/", 1)[-1] for name in self._call("GET", f"persistent/{self.namespace}{which}")]

    def topics(self) -> set[str]:
        """The namespace's topics by their short names. A partitioned one is one, even if Pulsar has deleted its
        partitions because nobody used them: it makes them anew for who does."""
        partitioned = self._names("/partitioned")
        return {*partitioned, *(re.sub(r"-partition-\d+$", "", name) for name in self._names())}

    def grow(self, topic: str, partitions: int) -> None:
        """Raise the number of partitions. Pulsar can't lower it."""
        self._call("POST", f"{self._topic(topic)}/partitions", partitions)

    def retention(self, topic: str = NAMESPACE) -> Retention | None:
        """The topic's own retention, or the namespace's; None where it has none of its own."""
        return _retention(self._call("GET", f"{self._scope(topic)}/retention"))

    def set_retention(self, retention: Retention | None, topic: str = NAMESPACE, *, within: float = 10.0) -> None:
        """Set it, or with None remove it; returns once the broker tells it so, which takes a topic a moment.

        Raises UsageError where it breaks Pulsar's rule about the backlog quota."""
        path = f"{self._scope(topic)}/retention"
        if retention is None:
            self._call("DELETE", path)
        else:
            body = {"retentionTimeInMinutes": retention.time_minutes, "retentionSizeInMB": retention.size_mb}
            try:
                self._call("POST", path, body)
            except PulsarRefused as error:
                if error.status != 412:
                    raise
                raise UsageError(
                    f"Pulsar refuses a retention of {retention}",
                    why=f"its rule: retention must exceed the backlog quota, by size and by time ({error.detail})",
                    out="alpesctl retention show tells the quota; -1 is above every quota",
                ) from error
        deadline = time.monotonic() + within
        while self.retention(topic) != retention:
            if time.monotonic() > deadline:
                raise StackDownError(
                    f"Pulsar took the retention of {topic or self.namespace}, and does not show it",
                    out="alpesctl retention show; alpesctl logs pulsar",
                )
            time.sleep(0.02)

    def backlog_quota(self, topic: str = NAMESPACE) -> BacklogQuota | None:
        """The quota of storage that is in force for the topic; of the namespace its own, None where it has none."""
        suffix = "backlogQuotaMap?applied=true" if topic else "backlogQuotaMap"
        found = (self._call("GET", f"{self._scope(topic)}/{suffix}") or {}).get("destination_storage")
        if not found:
            return None
        return BacklogQuota(int(found.get("limitSize", -1)), int(found.get("limitTime", -1)), str(found["policy"]))

    def defaults(self) -> tuple[Retention, BacklogQuota]:
        """The broker's own retention and backlog quota: what holds where nothing is set."""
        settings = self._call("GET", "brokers/configuration/runtime")
        size = int(settings.get("backlogQuotaDefaultLimitBytes", -1))
        if size <= 0:
            size = int(float(settings.get("backlogQuotaDefaultLimitGB", -1)) * (1 << 30))
        kept = (settings.get("defaultRetentionSizeInMB", 0), settings.get("defaultRetentionTimeInMinutes", 0))
        return Retention(int(kept[0]), int(kept[1])), BacklogQuota(
            size if size > 0 else -1,
            int(settings.get("backlogQuotaDefaultLimitSecond", -1)),
            str(settings.get("backlogQuotaDefaultRetentionPolicy", "producer_request_hold")),
        )

    def _scope(self, topic: str) -> str:
        return self._topic(topic) if topic else f"namespaces/{self.namespace}"

    def create_subscription(self, topic: str, subscription: str, *, position: str = "earliest") -> None:
        """Create a durable subscription at `earliest` or `latest`; one that exists is left as it is."""
        path = f"{self._topic(topic)}/subscription/{urllib.parse.quote(subscription, safe='')}"
        try:
            self._call("PUT", path, position)
        except PulsarRefused as error:
            if error.status != 409:
                raise

    def delete_subscription(self, topic: str, subscription: str) -> None:
        """Delete a subscription; one that isn't there is no error."""
        path = f"{self._topic(topic)}/subscription/{urllib.parse.quote(subscription, safe='')}?force=true"
        try:
            self._call("DELETE", path)
        except PulsarRefused as error:
            if error.status != 404:
                raise

    def stats(self, topic: str) -> TopicStats:
        """The topic's statistics, partitions included, with the precise backlog (in entries: a batch is one)."""
        count = self.partitions(topic)
        if count is None:
            raise UsageError(f"there is no topic {topic} in {self.namespace}", out="alpesctl partition show")
        return self.stats_of(topic, count)

    def stats_of(self, topic: str, count: int) -> TopicStats:
        """As `stats`, of a topic whose number of partitions (0: none) is known."""
        query = "getPreciseBacklog=true&subscriptionBacklogSize=false"
        if count:
            raw = self._call("GET", f"{self._topic(topic)}/partitioned-stats?perPartition=true&{query}")
            parts: Mapping[str, Any] = raw.get("partitions", {})
        else:
            raw = self._call("GET", f"{self._topic(topic)}/stats?{query}")
            parts = {f"persistent://{self.namespace}/{topic}": raw}
        return _topic_stats(topic, count, raw, parts)

    def positions(self, topic: str, subscription: str) -> dict[str, tuple[int, int]]:
        """Up to where the subscription has acknowledged everything: partition's full name → ledger, entry."""
        count = self.partitions(topic) or 0
        names = [f"{topic}-partition-{i}" for i in range(count)] if count else [topic]
        found = {}
        for name in names:
            cursors = self._call("GET", f"{self._topic(name)}/internalStats")["cursors"]
            ledger, _, entry = cursors[subscription]["markDeletePosition"].partition(":")
            found[f"persistent://{self.namespace}/{name}"] = (int(ledger), int(entry))
        return found

    def version(self) -> str:
        """The broker's version."""
        return self._raw("GET", "brokers/version").decode().strip().strip('"')


def of_each(ask: Callable[[Asked], Answer], asked: Iterable[Asked]) -> list[Answer]:
    """What each call answers, in order; they are made at once. Raises what the first that fails raises."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(ask, asked))


class PulsarRefused(StackDownError):
    """Pulsar answered with an HTTP error; `status` is its code."""

    code = "pulsar"

    def __init__(self, what: str, status: int, detail: str) -> None:
        super().__init__(what, why=f"HTTP {status}: {detail}", out="alpesctl logs pulsar shows the broker's side")
        self.status = status
        self.detail = detail


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["reason"])
    except (ValueError, KeyError, OSError):
        return error.reason if isinstance(error.reason, str) else "no reason given"


def _retention(raw: Mapping[str, Any] | None) -> Retention | None:
    return Retention(int(raw["retentionSizeInMB"]), int(raw["retentionTimeInMinutes"])) if raw else None


def _topic_stats(topic: str, count: int, raw: Mapping[str, Any], parts: Mapping[str, Any]) -> TopicStats:
    # With no partition to show, Pulsar answers with one empty entry under the topic's own name.
    answered = sum("-partition-" in full for full in parts) if count else len(parts)
    names = sorted({name for part in parts.values() for name in part.get("subscriptions", {})})
    subscriptions = {}
    for name in names:
        of_name = {full: part.get("subscriptions", {}).get(name, {}) for full, part in parts.items()}
        kinds = {str(sub.get("type", "")) for sub in of_name.values()} - {"", "None"}
        subscriptions[name] = SubscriptionStats(
            name=name,
            kind=", ".join(sorted(kinds)) or "no consumer yet",
            backlog=sum(int(sub.get("msgBacklog", 0)) for sub in of_name.values()),
            unacknowledged=sum(int(sub.get("unackedMessages", 0)) for sub in of_name.values()),
            rate_out=sum(float(sub.get("msgRateOut", 0)) for sub in of_name.values()),
            consumers={full: _names(sub.get("consumers", []), "consumerName") for full, sub in of_name.items()},
            messages_out=sum(int(sub.get("msgOutCounter", 0)) for sub in of_name.values()),
            seen_in=sum(name in part.get("subscriptions", {}) for part in parts.values()),
        )
    return TopicStats(
        name=topic,
        partitions=count,
        messages_in=int(raw.get("msgInCounter", 0)),
        rate_in=float(raw.get("msgRateIn", 0)),
        storage_bytes=int(raw.get("storageSize", 0)),
        producers={full: _names(part.get("publishers", []), "producerName") for full, part in parts.items()},
        subscriptions=subscriptions,
        answered=answered,
    )


def _names(entries: list[Mapping[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(sorted(str(entry.get(key, "")) for entry in entries))
