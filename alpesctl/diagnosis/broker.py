"""Checks of the broker's topics: subscriptions nobody reads, dead letters nobody keeps, what grows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alpesctl.diagnosis.finding import Finding, Severity, Side
from alpesctl.pulsar_admin import SubscriptionStats, TopicStats
from alpesctl.stack.model import Pulsar, Topic

DEAD_LETTERS = "-DLQ"
"""How Pulsar's clients name a dead-letter topic by default."""

_GROWTH_PER_SECOND = 20.0
_LEAST_GROWN = 100


@dataclass(frozen=True)
class Broker:
    """What the broker told: the declared topics that exist, other dead-letter topics, the backlogs (topic,
    subscription) some `seconds` later, and the holds of runs that are dead (subscription → topic)."""

    topics: Mapping[str, TopicStats]
    others: Sequence[TopicStats] = ()
    later: Mapping[tuple[str, str], int] = field(default_factory=dict)
    seconds: float = 0.0
    dead_holds: Mapping[str, str] = field(default_factory=dict)


def topics(pulsar: Pulsar, broker: Broker, *, partial: bool = False) -> Iterator[Finding]:
    """Every declared topic and its subscriptions, undeclared dead-letter topics, holds of dead runs. `partial`:
    only some services are up, and those that make the topics may not be."""
    prefix = f"persistent://{pulsar.namespace}/"
    for topic in pulsar.topics:
        stats = broker.topics.get(topic.name)
        if stats is None:
            severity = Severity.WARNING if partial else Severity.PROBLEM
            yield _found(severity, topic.name, "the topic is not there", "what is sent to it fails", "alpesctl up")
        else:
            yield from _topic(topic, stats, broker, pulsar)
    for stats in broker.others:
        if not stats.subscriptions:
            out = (
                f"alpesctl exec {pulsar.service} -- bin/pulsar-admin topics create-subscription"
                f" -s dead-letters -m earliest {prefix}{stats.name}"
            )
            yield _found(Severity.PROBLEM, stats.name, "a dead-letter topic without a subscription", _DROPPED, out)
    for name, topic_name in broker.dead_holds.items():
        yield _found(
            Severity.WARNING,
            topic_name,
            f"the subscription {name} is held for a run that was killed",
            "the broker keeps every message since that run began",
            f"alpesctl exec {pulsar.service} -- bin/pulsar-admin topics unsubscribe -f -s {name} {prefix}{topic_name}",
        )


_DROPPED = "no subscription keeps its messages: they are gone once they arrive"


def _topic(topic: Topic, stats: TopicStats, broker: Broker, pulsar: Pulsar) -> Iterator[Finding]:
    # Partitions that nobody uses, Pulsar deletes where no subscription holds them; it makes them anew when needed.
    if topic.subscription and not stats.whole:
        why = f"it gave figures for {stats.answered} of {max(1, stats.partitions)}"
        out = f"alpesctl logs {pulsar.service} --tail 50"
        yield _found(Severity.PROBLEM, topic.name, "the broker can't answer for every partition", why, out)
        return
    if topic.subscription and topic.subscription not in stats.subscriptions:
        yield _found(
            Severity.PROBLEM,
            topic.name,
            f"the subscription {topic.subscription} is not there",
            _DROPPED,
            f"alpesctl exec {pulsar.service} -- bin/pulsar-admin topics create-subscription"
            f" -s {topic.subscription} -m earliest persistent://{pulsar.namespace}/{topic.name}",
        )
    for subscription in stats.subscriptions.values():
        if subscription.name not in broker.dead_holds:
            yield _subscription(topic, subscription, broker, pulsar, stats)


def _subscription(
    topic: Topic, subscription: SubscriptionStats, broker: Broker, pulsar: Pulsar, stats: TopicStats
) -> Finding:
    consumers = {name for names in subscription.consumers.values() for name in names}
    told = f"{subscription.name}: backlog {subscription.backlog:,}, {len(consumers)} consumers"
    own = subscription.name == topic.subscription
    expected = topic.consumers if own else ()
    if own and not expected and not consumers and topic.name.endswith(DEAD_LETTERS):
        return _dead_letters(topic, subscription, pulsar, stats)
    if not consumers and subscription.backlog:
        return _unread(topic, subscription, told, expected)
    missing = [full for full, names in subscription.consumers.items() if not names]
    if own and consumers and missing:
        why = f"without one: {', '.join(full.rsplit('/', 1)[-1] for full in missing)}"
        out = f"wait a minute, or alpesctl partition set {topic.name} {max(1, stats.partitions)}"
        return _found(Severity.WARNING, topic.name, f"{told}, and not on every partition", why, out)
    later = broker.later.get((topic.name, subscription.name), subscription.backlog)
    grown = later - subscription.backlog
    if broker.seconds > 0 and grown >= _LEAST_GROWN and grown / broker.seconds >= _GROWTH_PER_SECOND:
        more = f"alpesctl scale {' '.join(f'{name}=N' for name in expected)}; " if expected else ""
        return _found(
            Severity.WARNING,
            topic.name,
            f"{told}, growing by {grown / broker.seconds:,.0f} a second",
            "more is sent than is consumed",
            f"{more}alpesctl stats --watch",
        )
    return _found(Severity.OK, topic.name, told)


def _dead_letters(topic: Topic, subscription: SubscriptionStats, pulsar: Pulsar, stats: TopicStats) -> Finding:
    """What waits in a dead-letter topic that no service of the stack is declared to read."""
    if not subscription.backlog:
        return _found(Severity.OK, topic.name, f"{subscription.name}: empty")
    part = "-partition-0" if stats.partitions else ""
    return _found(
        Severity.WARNING,
        topic.name,
        f"{subscription.name}: {subscription.backlog:,} wait, and nobody reads them",
        "they are dead letters: who consumed them where they were sent to could not use them",
        f"alpesctl exec {pulsar.service} -- bin/pulsar-admin topics peek-messages -n 5 -s {subscription.name}"
        f" persistent://{pulsar.namespace}/{topic.name}{part}",
    )


def _unread(topic: Topic, subscription: SubscriptionStats, told: str, expected: Sequence[str]) -> Finding:
    """A backlog without a consumer; `expected` are the services that should be there, none where none is declared."""
    if expected:
        why = f"no consumer of {' or '.join(expected)} is connected"
        return _found(Severity.PROBLEM, topic.name, told, why, f"alpesctl up; alpesctl logs {' '.join(expected)}")
    out = f"is {subscription.name} still needed?"
    if subscription.name == topic.subscription:
        out += " If so, name the services that read it: consumers, in x-alpes.pulsar.topics"
    return _found(Severity.WARNING, topic.name, told, "nobody is connected", out)


def _found(severity: Severity, topic: str, what: str, why: str = "", out: str = "") -> Finding:
    return Finding(Side.STACK, severity, f"topic {topic}", what, why, out)
