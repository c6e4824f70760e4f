from dataclasses import replace
from pathlib import Path

import pytest

from alpesctl.errors import StackDownError, UsageError
from alpesctl.reconcile.observed import Observed
from alpesctl.reconcile.plan import (
    Desired,
    beside_a_run,
    plan_down,
    plan_partitions,
    plan_up,
    require_count,
    with_dependencies,
)
from alpesctl.runtimes.base import Health, Replica, State
from alpesctl.stack.model import NAMESPACE, Dependency, HealthCheck, Pulsar, Service, Spec, Topic
from alpesctl.stack.retention import Retention

CHECK = HealthCheck(("true",))
SETUP = (Dependency("setup", "service_completed_successfully"),)
DB = Service("db", "db", (), {}, health=CHECK, restart="unless-stopped")
ONCE = Service("setup", "app", (), {}, depends_on=(Dependency("db", "service_healthy"),), one_shot=True)
APP = Service("app", "app", (), {}, depends_on=SETUP, replicas=2, health=CHECK, restart="unless-stopped")
WORKER = Service("worker", "app", (), {}, depends_on=SETUP, health=CHECK, restart="unless-stopped")
TOPIC = Topic("orders", 1, "sub", ("worker",), ("app",))
SPEC = Spec(
    project="shop",
    directory=Path("/shop"),
    files=(),
    services={s.name: s for s in (DB, ONCE, APP, WORKER)},
    pulsar=Pulsar("db", 6650, 8080, "public/default", (TOPIC,)),
)
DIGESTS = dict.fromkeys(SPEC.services, "same")


def desired(*services: str, counts: dict[str, int] | None = None) -> Desired:
    return Desired(SPEC, with_dependencies(SPEC, services), counts or {}, DIGESTS)


def replica(service: str, number: int = 1, **changes: object) -> Replica:
    made = Replica(service, number, State.RUNNING, "same", Health.HEALTHY)
    return replace(made, **changes)  # type: ignore[arg-type]


DONE = replica("setup", state=State.EXITED, health=Health.NONE, exit_code=0)
ALL_UP = Observed((replica("db"), DONE, replica("app", 1), replica("app", 2), replica("worker")), {"orders": 1})


def change(observed: Observed, name: str, number: int = 1, **changes: object) -> Observed:
    return Observed(
        tuple(
            replace(r, **changes) if (r.service, r.number) == (name, number) else r  # type: ignore[arg-type]
            for r in observed.replicas
        ),
        observed.partitions,
    )


def test_from_nothing_dependencies_come_first() -> None:
    assert str(plan_up(desired(), Observed(()))).splitlines() == [
        "[1] create db-1: there is none",
        "[2] start db-1: just created",
        "[3] await healthy db: setup depends on it",
        "[4] create setup-1: there is none",
        "[5] start setup-1: just created",
        "[6] await completed setup-1: app depends on it",
        "[7] create app-1: there is none",
        "[8] start app-1: just created",
        "[9] create app-2: there is none",
        "[10] start app-2: just created",
        "[11] create worker-1: there is none",
        "[12] start worker-1: just created",
        "[13] await healthy app: up ends when all is healthy",
        "[14] await healthy worker: up ends when all is healthy",
    ]


def test_a_dependency_without_a_check_awaits_its_images_own() -> None:
    """Whether the image has one is known once the replica is there; where it has none, running is enough."""
    unchecked = replace(SPEC, services={**SPEC.services, "db": replace(DB, health=None)})
    wished = replace(desired(), spec=unchecked)
    assert "[3] await healthy db: setup depends on it" in str(plan_up(wished, Observed(()))).splitlines()
    assert plan_up(wished, change(ALL_UP, "db", health=Health.NONE)).operations == ()
    assert plan_up(wished, ALL_UP).operations == ()
    starting = plan_up(wished, change(ALL_UP, "db", health=Health.STARTING))
    assert str(starting) == "[1] await healthy db: setup depends on it"


def test_where_all_is_up_nothing_is_done() -> None:
    assert plan_up(desired(), ALL_UP).operations == ()


def test_a_stopped_replica_is_started_and_no_other() -> None:
    plan = plan_up(desired(), change(ALL_UP, "app", 2, state=State.EXITED, health=Health.NONE, exit_code=0))
    assert str(plan).splitlines() == [
        "[1] start app-2: it is stopped (exit code 0)",
        "[2] refresh routes: replicas changed",
        "[3] await healthy app: up ends when all is healthy",
    ]


def test_a_changed_configuration_recreates_just_that_service() -> None:
    plan = plan_up(replace(desired(), digests={**DIGESTS, "worker": "other"}), ALL_UP)
    assert str(plan).splitlines() == [
        "[1] stop worker-1: its configuration changed",
        "[2] remove worker-1: its configuration changed",
        "[3] create worker-1: its configuration changed",
        "[4] start worker-1: its configuration changed",
        "[5] refresh routes: replicas changed",
        "[6] await healthy worker: up ends when all is healthy",
    ]


@pytest.mark.parametrize(
    ("present", "wanted", "cause"),
    [
        ("image=1 limits=1", "image=2 limits=1", "its image changed"),
        ("environment.MEM=1 image=1", "environment.MEM=2 image=2", "its environment (MEM) and image changed"),
        ("", "image=1", "its configuration changed"),
    ],
)
def test_the_cause_says_what_changed(present: str, wanted: str, cause: str) -> None:
    plan = plan_up(replace(desired(), digests={**DIGESTS, "db": wanted}), change(ALL_UP, "db", digest=present))
    assert str(plan).splitlines()[:2] == [f"[1] stop db-1: {cause}", f"[2] remove db-1: {cause}"]


def test_what_another_tool_made_and_cannot_be_compared_stays() -> None:
    plan = plan_up(
        replace(desired(), digests={**DIGESTS, "db": "image=1 limits=1"}),
        change(ALL_UP, "db", digest="image=1 limits=?"),
    )
    assert plan.operations == ()


def test_scaling_down_drops_the_highest_numbers_first() -> None:
    observed = Observed((*ALL_UP.replicas, replica("app", 3)), {"orders": 1})
    plan = plan_up(desired(counts={"app": 1}), observed)
    assert str(plan).splitlines()[:4] == [
        "[1] stop app-3: 1 wanted, 3 there",
        "[2] remove app-3: 1 wanted, 3 there",
        "[3] stop app-2: 1 wanted, 3 there",
        "[4] remove app-2: 1 wanted, 3 there",
    ]


@pytest.mark.parametrize(
    ("changes", "operation"),
    [
        ({"state": State.PAUSED}, "unpause db-1: it is paused"),
        ({"state": State.CREATED}, "start db-1: it was never started"),
        ({"state": State.EXITED, "exit_code": 137}, "start db-1: it is stopped (exit code 137)"),
        ({"health": Health.STARTING}, "await healthy db: setup depends on it"),
        ({"health": Health.UNHEALTHY}, "await healthy db: setup depends on it"),
        ({"state": State.RESTARTING, "health": Health.NONE}, "await healthy db: setup depends on it"),
    ],
)
def test_the_state_of_a_replica_decides(changes: dict[str, object], operation: str) -> None:
    plan = plan_up(desired("db", "setup"), change(ALL_UP, "db", **changes))
    assert str(plan.operations[0]) == operation


def test_a_one_shot_service_that_failed_runs_again() -> None:
    plan = plan_up(desired("setup"), change(ALL_UP, "setup", exit_code=1))
    assert [str(o) for o in plan.operations] == [
        "start setup-1: it is stopped (exit code 1)",
        "refresh routes: replicas changed",
        "await completed setup-1: up ends when all is healthy",
    ]


def test_a_subset_starts_what_it_depends_on_and_nothing_else() -> None:
    assert with_dependencies(SPEC, ["worker"]) == ("db", "setup", "worker")
    targets = {o.target for o in plan_up(desired("worker"), Observed(())).operations}
    assert targets == {"db", "setup", "worker"}


def test_orphans_are_named_and_removed_only_when_asked() -> None:
    observed = Observed((*ALL_UP.replicas, replica("old")), {"orders": 1})
    plan = plan_up(desired(), observed)
    assert (plan.operations, plan.orphans) == ((), ("old-1",))
    plan = plan_up(replace(desired(), remove_orphans=True), observed)
    assert [str(o) for o in plan.operations] == [
        "stop old-1: its service is no longer in the compose file",
        "remove old-1: its service is no longer in the compose file",
    ]


def test_declared_partitions_are_a_minimum() -> None:
    assert SPEC.pulsar is not None
    topic = replace(TOPIC, partitions=4)
    wanted = replace(desired(), spec=replace(SPEC, pulsar=replace(SPEC.pulsar, topics=(topic,))))
    assert plan_up(wanted, ALL_UP).operations == plan_partitions(SPEC, ALL_UP, topic, 4).operations != ()
    assert plan_up(wanted, replace(ALL_UP, partitions={"orders": 9})).operations == ()


def test_a_dependency_that_must_only_be_started_is_not_awaited() -> None:
    loose = replace(APP, depends_on=(Dependency("db", "service_started"),))
    spec = replace(SPEC, services={"db": DB, "app": loose})
    plan = plan_up(Desired(spec, ("db", "app"), {}, DIGESTS), Observed(()))
    assert [str(o) for o in plan.operations][2:] == [
        "create app-1: there is none",
        "start app-1: just created",
        "create app-2: there is none",
        "start app-2: just created",
        "await healthy db: up ends when all is healthy",
        "await healthy app: up ends when all is healthy",
    ]


def test_no_replica_wanted_is_none_awaited() -> None:
    plan = plan_up(desired("worker", counts={"worker": 0}), ALL_UP)
    assert [str(o) for o in plan.operations] == [
        "stop worker-1: 0 wanted, 1 there",
        "remove worker-1: 0 wanted, 1 there",
        "refresh routes: replicas changed",
    ]


def test_a_broker_that_is_away_is_no_missing_topic() -> None:
    with pytest.raises(StackDownError):
        plan_partitions(SPEC, replace(ALL_UP, partitions=None), TOPIC, 6)


def test_down_goes_against_the_dependencies() -> None:
    operations = plan_down(SPEC, ALL_UP).operations
    names = [f"{o.action} {o.target}-{o.number}" for o in operations]
    assert names[0] == "stop worker-1"
    assert names[-2:] == ["stop db-1", "remove db-1"]
    assert "stop setup-1" not in names


def test_growing_a_topic_rolls_consumers_then_producers() -> None:
    plan = plan_partitions(SPEC, ALL_UP, TOPIC, 6)
    assert [f"{o.action} {o.target} {o.number}" for o in plan.operations] == [
        "grow topic orders 6",
        "stop worker 1",
        "start worker 1",
        "await healthy worker 1",
        "stop app 1",
        "start app 1",
        "await healthy app 1",
        "stop app 2",
        "start app 2",
        "await healthy app 2",
        "await consumers orders None",
    ]


def test_who_both_consumes_and_produces_a_topic_must_be_rolled_once() -> None:
    topic = replace(TOPIC, consumers=("worker", "app"), producers=("app", "db", "worker"))
    rolled = [f"{o.action} {o.target} {o.number}" for o in plan_partitions(SPEC, ALL_UP, topic, 6).operations]
    assert [step for step in rolled if step.startswith("stop")] == [
        "stop worker 1",
        "stop app 1",
        "stop app 2",
        "stop db 1",
    ]


def test_a_topic_none_of_whose_consumers_is_there_must_await_none() -> None:
    topic = replace(TOPIC, consumers=("setup", "gone"), producers=())
    observed = replace(ALL_UP, replicas=(replica("db"),))
    assert [str(o) for o in plan_partitions(SPEC, observed, topic, 6).operations] == [
        "grow topic orders to 6: it has 1"
    ]


@pytest.mark.parametrize(
    ("present", "wanted", "word"),
    [
        ({"orders": 6}, 3, "never removes partitions"),
        ({"orders": 0}, 3, "not partitioned"),
        ({}, 3, "no topic"),
        ({"orders": 6}, 0, "1 to 1000"),
        ({"orders": 6}, 100_000, "1 to 1000"),
    ],
)
def test_what_pulsar_cannot_do_is_refused(present: dict[str, int], wanted: int, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        plan_partitions(SPEC, replace(ALL_UP, partitions=present), TOPIC, wanted)


@pytest.mark.parametrize("count", [0, -1, 1000])
def test_a_senseless_count_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="1 to 100 replicas"):
        require_count("app", count)


def test_an_unknown_service_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="db, setup, app, worker"):
        with_dependencies(SPEC, ["wroker"])


def test_beside_a_run_what_is_down_stays_down() -> None:
    """A fault may hold it."""
    observed = change(change(ALL_UP, "db", state=State.EXITED, exit_code=137), "app", 2, state=State.PAUSED)
    plan = beside_a_run(plan_up(desired("app", counts={"app": 3}), observed), ["app"])
    assert str(plan).splitlines() == [
        "[1] create app-3: there is none",
        "[2] start app-3: just created",
        "[3] refresh routes: replicas changed",
        "[4] await healthy app: up ends when all is healthy",
    ]


def test_a_wish_for_retention_is_held_to_with_its_cause() -> None:
    wanted = replace(desired(), retention={NAMESPACE: Retention(-1, 60), "orders": Retention(20_480, 10_080)})
    observed = replace(ALL_UP, retention={NAMESPACE: Retention(0, 0), "orders": None})
    assert str(plan_up(wanted, observed)).splitlines() == [
        "[1] set retention of the namespace to size unlimited, time 1h: it was wished for, it has size 0, time 0",
        "[2] set retention of orders to size 20G, time 7d: it was wished for, it has none of its own",
    ]
    as_wished = {NAMESPACE: Retention(-1, 60), "orders": Retention(20_480, 10_080)}
    assert plan_up(wanted, replace(ALL_UP, retention=as_wished)).operations == ()
    assert plan_up(wanted, replace(ALL_UP, partitions=None)).operations == ()


def test_partitions_that_were_wished_for_are_a_minimum_too() -> None:
    wanted = replace(desired(), partitions={"orders": 6})
    assert str(plan_up(wanted, ALL_UP).operations[0]) == "grow topic orders to 6: it has 1"
    assert plan_up(wanted, replace(ALL_UP, partitions={"orders": 6})).operations == ()


def test_drift_is_a_note_and_no_change() -> None:
    plan = plan_up(desired(), replace(ALL_UP, partitions={"orders": 6}))
    assert plan.operations == ()
    assert plan.notes == ("orders has 6 partitions, 1 declared: Pulsar never removes any",)


def test_only_waiting_is_no_change() -> None:
    plan = plan_up(desired(), change(ALL_UP, "app", health=Health.STARTING))
    assert str(plan) == "[1] await healthy app: up ends when all is healthy"
    assert plan.changes == ()
