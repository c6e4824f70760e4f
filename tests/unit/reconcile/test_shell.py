"""A plan as a script: each operation with its cause, the runtime's words for its own, Pulsar's for the broker's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alpesctl.reconcile.plan import Plan, plan_partitions, plan_retention, plan_up
from alpesctl.reconcile.shell import as_shell
from alpesctl.runtimes.base import Call
from alpesctl.stack.model import NAMESPACE, Pulsar
from alpesctl.stack.retention import Retention
from tests.unit.reconcile.test_plan import ALL_UP, SPEC, TOPIC, Observed, desired


class Words:
    """A runtime that has words for everything."""

    def shell(self, call: Call, service: str, number: int) -> list[str]:
        return [f"{call} {service}-{number}"] if call != "prepare" else ["network"]

    def shell_exec(self, service: str, number: int, command: Sequence[str]) -> str:
        return f"in {service}-{number}: {' '.join(command)}"


def script(plan: Plan, **counts: int) -> list[str]:
    return as_shell(plan, SPEC, counts, Words())


def test_operations_keep_their_order_and_cause_after_what_they_need() -> None:
    assert script(plan_up(desired("db"), Observed(()))) == [
        "network",
        "# [1] create db-1: there is none",
        "create db-1",
        "# [2] start db-1: just created",
        "start db-1",
        "# [3] await healthy db: up ends when all is healthy",
        "await_healthy db-1",
    ]


def test_what_awaits_a_service_awaits_each_of_its_replicas() -> None:
    plan = plan_up(desired("app"), replace(ALL_UP, replicas=ALL_UP.replicas[:3]))
    assert script(plan, app=2)[-3:] == [
        "# [4] await healthy app: up ends when all is healthy",
        "await_healthy app-1",
        "await_healthy app-2",
    ]


def test_a_topic_grows_by_pulsars_own_tool() -> None:
    lines = script(plan_partitions(SPEC, ALL_UP, TOPIC, 6))
    assert lines[:3] == [
        "# [1] grow topic orders to 6: it has 1",
        "in db-1: bin/pulsar-admin topics update-partitioned-topic persistent://public/default/orders -p 6",
        "# [2] stop worker-1: a running client sees new partitions only after 60 s",
    ]
    assert lines[-2:] == [
        "# until sub has every replica of worker on each partition:",
        "in db-1: bin/pulsar-admin topics partitioned-stats --per-partition persistent://public/default/orders",
    ]


def test_every_service_that_consumes_a_topic_must_be_named_in_the_script() -> None:
    topic = replace(TOPIC, consumers=("worker", "app"))
    spec = replace(SPEC, pulsar=Pulsar("db", 6650, 8080, "public/default", (topic,)))
    lines = as_shell(plan_partitions(spec, ALL_UP, topic, 6), spec, {}, Words())
    assert lines[-2] == "# until sub has every replica of worker and app on each partition:"


def test_retention_is_set_and_removed_by_pulsars_own_tool() -> None:
    observed = Observed((), None, {NAMESPACE: None, "orders": Retention(1, 1)})
    plan = Plan(
        (
            *plan_retention(observed, NAMESPACE, Retention(20_480, -1), "it is asked for"),
            *plan_retention(observed, "orders", None, "it is asked for"),
        )
    )
    assert script(plan) == [
        "# [1] set retention of the namespace to size 20G, time unlimited: it is asked for, it has none of its own",
        "in db-1: bin/pulsar-admin namespaces set-retention public/default --size 20480M --time -1",
        "# [2] set retention of orders to none of its own: it is asked for, it has size 1M, time 1m",
        "in db-1: bin/pulsar-admin topics remove-retention persistent://public/default/orders",
    ]
