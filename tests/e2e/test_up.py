"""`alpesctl up` must bring up what is missing, and nothing else."""

from __future__ import annotations

import psutil

from tests.e2e.conftest import Stack
from tests.engine import engine
from tests.waiting import eventually


def test_up_twice_must_do_nothing_the_second_time(stack: Stack) -> None:
    assert stack.ok("up", "--json").data["operations"] == []
    assert stack.ok("plan", "--check").exit_code == 0


def test_a_worker_killed_from_outside_must_come_back_by_itself(stack: Stack) -> None:
    before = stack.replica("tracking_worker")
    assert before.pid is not None
    psutil.Process(before.pid).kill()
    eventually(lambda: stack.replica("tracking_worker").pid not in (None, before.pid), what="a new worker")
    eventually(lambda: str(stack.replica("tracking_worker").health) == "healthy", what="a healthy worker")


def test_a_stopped_worker_must_stay_down_until_up_starts_just_that_one(stack: Stack) -> None:
    assert stack.project().runtime.stop("tracking_worker", 1) == 0
    assert stack.ok("plan", "--json").data["operations"] == [
        "start tracking_worker-1: it is stopped (exit code 0)",
        "refresh routes: replicas changed",
        "await healthy tracking_worker: up ends when all is healthy",
    ]
    assert stack.run("plan", "--check").exit_code == 1
    others = {r.name: r.pid for r in stack.project().runtime.replicas() if r.service != "tracking_worker"}
    stack.ok("up")
    assert str(stack.replica("tracking_worker").health) == "healthy"
    assert {r.name: r.pid for r in stack.project().runtime.replicas() if r.service != "tracking_worker"} == others


def test_everything_of_ours_must_be_reached_on_loopback_only(stack: Stack) -> None:
    reached, least = (published(stack), 10) if stack.runtime == "docker" else (listening(stack), 11)
    assert len(reached) >= least
    assert set(reached) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def listening(stack: Stack) -> list[str]:
    """The addresses on which the stack's processes listen, one for each socket."""
    ours = {
        process.pid
        for replica in stack.project().runtime.replicas(with_health=False)
        if replica.pid
        for process in (psutil.Process(replica.pid), *psutil.Process(replica.pid).children(recursive=True))
    }
    sockets = psutil.net_connections("inet")
    return [c.laddr.ip for c in sockets if c.status == psutil.CONN_LISTEN and c.pid in ours]


def published(stack: Stack) -> list[str]:
    """The addresses on which the engine publishes ports of the stack's containers, one for each port."""
    with engine() as client:
        containers = client.containers.list(filters={"label": f"com.docker.compose.project={stack.project_name}"})
        assert len(containers) == 10
        return [
            binding["HostIp"]
            for container in containers
            for bindings in container.attrs["NetworkSettings"]["Ports"].values()
            for binding in bindings or ()
        ]


def test_scale_must_survive_the_next_up(stack: Stack) -> None:
    stack.ok("scale", "tracking_worker=3")
    assert stack.ok("up", "--json").data["operations"] == []
    assert len(stack.project().runtime.replicas(["tracking_worker"])) == 3
    stack.ok("scale", "tracking_worker=1")
    assert len(stack.project().runtime.replicas(["tracking_worker"])) == 1


def test_status_must_show_every_replica_and_what_waits(stack: Stack) -> None:
    data = stack.ok("status", "--json").data
    states = {replica["name"]: (replica["state"], replica["health"]) for replica in data["replicas"]}
    assert states == {
        "affiliates-1": ("running", "healthy"),
        "affiliates_db-1": ("running", "healthy"),
        "affiliates_setup-1": ("exited", "none"),
        "affiliates_worker-1": ("running", "healthy"),
        "pulsar-1": ("running", "healthy"),
        "tracking-1": ("running", "healthy"),
        "tracking-2": ("running", "healthy"),
        "tracking-3": ("running", "healthy"),
        "tracking_db-1": ("running", "healthy"),
        "tracking_nginx-1": ("running", "healthy"),
        "tracking_setup-1": ("exited", "none"),
        "tracking_worker-1": ("running", "healthy"),
    }
    read = ("commands.tracking", "commands.affiliates", "events.tracking")
    assert {row["topic"] for row in data["topics"]} == {*read, *(f"{topic}-DLQ" for topic in read)}
    assert "Key_Shared" in stack.ok("status").stdout
