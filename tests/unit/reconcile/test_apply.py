"""What waiting makes of a replica that comes back by itself again and again, and of a subscription that fills."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpesctl.errors import UnhealthyError
from alpesctl.pulsar_admin import SubscriptionStats, TopicStats
from alpesctl.reconcile.apply import Applier
from alpesctl.reconcile.plan import Action, Operation, Plan
from alpesctl.runtimes.base import Health, LogLine, Replica, State
from alpesctl.stack.model import HealthCheck, Pulsar, Service, Spec, Topic

SPEC = Spec("shop", Path("/srv"), (), {"web": Service("web", "", (), {}, health=HealthCheck(("true",)))})
START = Operation(Action.START, "web", "", 1)
AWAIT = Operation(Action.AWAIT_HEALTHY, "web", "")


class Crashing:
    """A runtime whose one replica has come back once more at each look; well after `well_after` times."""

    def __init__(self, restarts: int = 0, well_after: int = 1000) -> None:
        self.restarts = restarts
        self.well_after = well_after

    def start(self, service: str, number: int) -> None: ...

    def replicas(self, services: object = None, **_: object) -> list[Replica]:
        self.restarts += 1
        if self.restarts > self.well_after:
            return [Replica("web", 1, State.RUNNING, "", health=Health.HEALTHY)]
        return [Replica("web", 1, State.RESTARTING, "", restarts=self.restarts)]

    def logs(self, services: object, **_: object) -> Iterator[LogLine]:
        yield LogLine("web-1", "KeyError: 'PORT'")
        yield LogLine("web-1", "bye")


def applier(runtime: Any) -> Applier:
    return Applier(runtime, SPEC, lambda: pytest.fail("no broker is asked"))


def test_a_crash_loop_must_be_told_at_once_with_its_cause() -> None:
    runtime = Crashing()
    with pytest.raises(UnhealthyError) as caught:
        applier(runtime).apply(Plan((START, AWAIT)))
    assert runtime.restarts == 3
    assert (caught.value.what, caught.value.why) == (
        "web-1 crashes and was started again 3 times",
        "KeyError: 'PORT'",
    )


def test_what_crashed_before_must_get_its_time_to_come_back() -> None:
    applier(Crashing(restarts=50, well_after=53)).apply(Plan((AWAIT,)))
    with pytest.raises(UnhealthyError):
        applier(Crashing(restarts=50)).apply(Plan((AWAIT,)))


class Filling:
    """A broker whose subscription has one consumer more at each look."""

    def __init__(self, *consumers: str) -> None:
        self._consumers = consumers
        self.looks = 0

    def stats(self, topic: str) -> TopicStats:
        self.looks += 1
        there = {f"{topic}-partition-0": self._consumers[: self.looks]}
        own = SubscriptionStats("sub", "Shared", 0, 0, 0.0, there, seen_in=1)
        return TopicStats(topic, 1, 0, 0.0, 0, {}, {"sub": own}, answered=1)


class Steady:
    """A runtime with one replica of each service."""

    def replicas(self, services: Collection[str], **_: object) -> list[Replica]:
        return [Replica(name, 1, State.RUNNING, "") for name in services]


def test_a_topic_must_be_awaited_until_each_service_that_consumes_it_does() -> None:
    topic = Topic("orders", 1, "sub", ("till", "web"))
    spec = replace(SPEC, pulsar=Pulsar("bus", 6650, 8080, "public/default", (topic,)))
    runtime: Any = Steady()
    broker: Any = Filling("till-1", "web-1", "stranger")
    Applier(runtime, spec, lambda: broker).apply(Plan((Operation(Action.AWAIT_CONSUMERS, "orders", ""),)))
    assert broker.looks == 2
