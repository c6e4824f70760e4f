"""A difference that `up` leaves alone is told once, with what would mend it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alpesctl.reconcile.drift import drift
from alpesctl.reconcile.observed import Observed
from alpesctl.stack.model import NAMESPACE, Pulsar, Topic
from alpesctl.stack.retention import Retention

TOPIC = Topic("orders", 2, "sub")
PULSAR = Pulsar("pulsar", 6650, 8080, "public/default", (TOPIC,))
WEEK = Retention(20_480, 10_080)
DECLARED = replace(PULSAR, retention=WEEK)
NOT_SET: dict[str, Retention | None] = {NAMESPACE: None, "orders": None}


@pytest.mark.parametrize("count", [1, 2])
def test_as_many_partitions_as_declared_or_too_few_are_no_note(count: int) -> None:
    assert drift(PULSAR, Observed((), {"orders": count})) == ()


def test_more_partitions_than_declared_stay() -> None:
    assert drift(PULSAR, Observed((), {"orders": 6})) == (
        "orders has 6 partitions, 2 declared: Pulsar never removes any",
    )
    assert drift(PULSAR, Observed((), {"orders": 6}), {"orders": 6}) == ()
    assert drift(PULSAR, Observed((), {"orders": 8}), {"orders": 6}) == (
        "orders has 8 partitions, 6 wished for: Pulsar never removes any",
    )


def test_a_topic_that_is_not_partitioned_is_named() -> None:
    assert "orders is not partitioned" in drift(PULSAR, Observed((), {"orders": 0}))[0]


def test_a_declared_retention_that_differs_says_how_to_set_it() -> None:
    observed = Observed((), {}, NOT_SET)
    assert drift(DECLARED, observed) == (
        "the retention of the namespace public/default is not set, declared: size 20G, time 7d; "
        "alpesctl retention set --size 20G --time 7d",
    )
    assert drift(DECLARED, observed, {}, {NAMESPACE: Retention(-1, -1)}) == ()  # up sets what was wished for
    assert drift(DECLARED, Observed((), {}, {NAMESPACE: WEEK})) == ()


def test_a_topics_own_retention_goes_before_the_namespaces() -> None:
    found = drift(DECLARED, Observed((), {}, {NAMESPACE: WEEK, "orders": Retention(-1, -1)}))
    assert found == (
        "orders has a retention of its own, size unlimited, time unlimited: the namespace's does not hold there",
    )


def test_where_the_broker_cannot_be_asked_nothing_is_told() -> None:
    assert drift(DECLARED, Observed(())) == ()
    assert drift(None, Observed(())) == ()
