"""Before a run: the stack must be up, and the scenario must fit it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpesctl.errors import StackDownError, UsageError
from alpesctl.experiments.bench import Bench, check_faults, check_up, services_of, workers_expected
from alpesctl.experiments.model import Event, Fault, Load, Readback, Scenario, Shape, Step
from alpesctl.runtimes.base import Health, Replica, State
from alpesctl.stack.model import Pulsar, Service, Spec, Topic

SPEC = Spec(
    "p",
    Path("/x"),
    (),
    {name: Service(name, "i", (), {}) for name in ("broker", "db", "worker")},
    pulsar=Pulsar("broker", 6650, 8080, "public/default", (Topic("t", 1, "s", ("worker",)),)),
)
SCENARIO = Scenario(
    name="x",
    title="",
    loads=(Load("pulsar", "open", "t", 1.0, 10, (Event({"id": "{id}"}),)),),
    readback=Readback("postgresql://a:b@db:5432/a", "t", "s", "r", "t", "c"),
    shape=Shape(replicas={"worker": 2}),
    faults=(Fault(1.0, (Step("kill", "worker", 2),)),),
)


class Still:
    """A runtime whose replicas are these, one list a call, the last one for ever."""

    def __init__(self, *looks: Sequence[Replica]) -> None:
        self._looks = list(looks)

    def replicas(
        self, services: Sequence[str] | None = None, *, with_usage: bool = False, with_health: bool = True
    ) -> list[Replica]:
        look = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        return [replica for replica in look if services is None or replica.service in services]


def bench(*looks: Sequence[Replica]) -> Bench:
    nothing: Any = None
    runtime: Any = Still(*looks)
    return Bench(runtime, SPEC, nothing, nothing, Path("/x"), nothing)


def up(*but: Replica) -> list[Replica]:
    names = {(r.service, r.number): r for r in but}
    wanted = [("broker", 1), ("db", 1), ("worker", 1), ("worker", 2)]
    return [names.get(key, Replica(*key, State.RUNNING, "", Health.HEALTHY)) for key in wanted]


def test_a_stack_that_is_up() -> None:
    check_up(SCENARIO, bench(up()))
    check_faults(SCENARIO, bench(up()))
    assert services_of(SCENARIO, SPEC) == ["db", "broker", "worker"]
    assert workers_expected(SCENARIO, SPEC) == 2


def test_the_replicas_of_every_service_that_consumes_the_topic_must_be_expected() -> None:
    spec = replace(SPEC, pulsar=Pulsar("broker", 6650, 8080, "public/default", (Topic("t", 1, "s", ("worker", "db")),)))
    scenario = replace(SCENARIO, shape=Shape(replicas={"worker": 2, "db": 3, "broker": 5}))
    assert workers_expected(scenario, spec) == 5
    assert workers_expected(scenario, replace(SPEC, pulsar=None)) == 0


@pytest.mark.parametrize(
    ("replicas", "what"),
    [
        (up(Replica("db", 1, State.EXITED, "")), "db-1 is exited"),
        (up(Replica("worker", 2, State.RUNNING, "", Health.UNHEALTHY)), "worker-2 is unhealthy"),
        ([replica for replica in up() if replica.service != "broker"], "broker has no replica"),
    ],
)
def test_a_stack_that_is_not(replicas: list[Replica], what: str) -> None:
    with pytest.raises(StackDownError, match=what):
        check_up(SCENARIO, bench(replicas), patience=0.0)


@pytest.mark.parametrize("health", [Health.STARTING, Health.UNHEALTHY])
def test_what_runs_is_awaited(health: Health) -> None:
    check_up(SCENARIO, bench(up(Replica("worker", 2, State.RUNNING, "", health)), up()))


def test_a_replica_that_a_fault_names_must_be_there() -> None:
    with pytest.raises(UsageError, match="worker-2, which there isn't"):
        check_faults(SCENARIO, bench(up()[:3]))


def test_a_service_that_the_stack_lacks() -> None:
    lacking = Spec("p", Path("/x"), (), {"db": SPEC.services["db"]})
    with pytest.raises(UsageError, match="'worker', which the stack lacks"):
        services_of(SCENARIO, lacking)
