"""What every runtime must do, on a small project of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from alpesctl.errors import ForeignError, StackDownError, UsageError
from alpesctl.reconcile.apply import Applier
from alpesctl.reconcile.observed import observe
from alpesctl.reconcile.plan import Desired, plan_down, plan_up, with_dependencies
from alpesctl.runtimes.base import Health, Replica, Runtime, State
from alpesctl.runtimes.local.runtime import LocalRuntime
from alpesctl.stack.load import load
from alpesctl.stack.model import Spec
from tests.waiting import eventually

PROJECT = Path(__file__).parent / "project"


def free_range(count: int) -> str:
    """A range of so many loopback ports that were all free a moment ago."""
    for first in range(20_000, 60_000, count):
        taken = False
        for port in range(first, first + count):
            with socket.socket() as probe:
                taken = taken or probe.connect_ex(("127.0.0.1", port)) == 0
        if not taken:
            return f"{first}-{first + count - 1}"
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def spec() -> Spec:
    return load(start=PROJECT, environment={"WEB_PORTS": free_range(20)}, project_name=f"contract-{os.getpid()}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runtime")


@pytest.fixture(scope="module", params=["local"])
def shared(request: pytest.FixtureRequest, spec: Spec, folder: Path) -> Iterator[Runtime]:
    made = LocalRuntime(spec, state_dir=folder / "state", cache_dir=folder / "cache")
    yield made
    apply_down(made, spec)


@pytest.fixture
def runtime(shared: Runtime, spec: Spec) -> Runtime:
    """The project up, as every test finds it."""
    shared.prepare(spec)
    apply_up(shared, spec)
    return shared


def admin() -> object:
    raise AssertionError("this project has no broker")


def apply_up(runtime: Runtime, spec: Spec, counts: dict[str, int] | None = None) -> list[str]:
    digests = {name: runtime.digest(service) for name, service in spec.services.items()}
    plan = plan_up(Desired(spec, with_dependencies(spec, ()), counts or {}, digests), observe(runtime, spec, None))
    Applier(runtime, spec, admin).apply(plan)  # type: ignore[arg-type]
    return [str(operation) for operation in plan.operations]


def apply_down(runtime: Runtime, spec: Spec) -> None:
    Applier(runtime, spec, admin).apply(plan_down(spec, observe(runtime, spec, None)))  # type: ignore[arg-type]
    runtime.teardown()


def get(runtime: Runtime, number: int) -> list[str]:
    with urllib.request.urlopen(f"http://{runtime.endpoint('web', 8000, number)}/", timeout=2) as answer:
        return str(answer.read().decode()).split(" ", 2)


def gone(pid: str) -> bool:
    """Whether the process has ended, reaped by its parent or not yet."""
    try:
        return psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def web(runtime: Runtime, number: int) -> Replica:
    return next(r for r in runtime.replicas(["web"]) if r.number == number)


def test_up_twice_does_nothing_the_second_time(runtime: Runtime, spec: Spec) -> None:
    assert apply_up(runtime, spec) == []
    assert [(r.name, r.state, r.health) for r in runtime.replicas()] == [
        ("once-1", State.EXITED, Health.NONE),
        ("web-1", State.RUNNING, Health.HEALTHY),
        ("web-2", State.RUNNING, Health.HEALTHY),
    ]


def test_the_environment_arrives_as_written(runtime: Runtime, spec: Spec) -> None:
    assert get(runtime, 1)[2] == "50% off"


def test_replicas_get_the_lowest_ports_of_the_range_on_loopback(runtime: Runtime, spec: Spec) -> None:
    first = spec.services["web"].ports[0].host_first
    endpoints = [runtime.endpoint("web", 8000, number) for number in (1, 2)]
    assert [(e.host, e.port) for e in endpoints] == [("127.0.0.1", first), ("127.0.0.1", first + 1)]


def test_a_polite_stop_ends_with_0_and_stays_down(runtime: Runtime, spec: Spec) -> None:
    assert runtime.stop("web", 1) == 0
    replica = web(runtime, 1)
    assert (replica.state, replica.exit_code) == (State.EXITED, 0)
    assert "start web-1: it is stopped (exit code 0)" in apply_up(runtime, spec)
    assert web(runtime, 1).state is State.RUNNING


def test_a_stop_past_its_grace_kills(runtime: Runtime, spec: Spec) -> None:
    stubborn = dataclasses.replace(
        spec.services["web"], environment={**spec.services["web"].environment, "STUBBORN": "1"}
    )
    runtime.stop("web", 1)
    runtime.remove("web", 1)
    runtime.create(stubborn, 1)
    runtime.start("web", 1)
    eventually(lambda: web(runtime, 1).health is Health.HEALTHY)
    assert runtime.stop("web", 1, grace=0.3) == 128 + signal.SIGKILL
    assert any("stubborn stop" in line.text for line in runtime.logs(["web"]))


def test_a_kill_takes_descendants_along_runs_no_handler_and_stays_down(runtime: Runtime, spec: Spec) -> None:
    own, child, _ = get(runtime, 1)
    runtime.kill("web", 1)
    replica = web(runtime, 1)
    assert (replica.state, replica.exit_code) == (State.EXITED, 128 + signal.SIGKILL)
    assert gone(own)
    assert gone(child)
    mine = [line.text for line in runtime.logs(["web"], tail=1) if line.replica == "web-1"]
    assert mine == ["2026-01-01T00:00:00Z serving"], "a handler ran"
    runtime.start("web", 1)
    assert eventually(lambda: web(runtime, 1).health is Health.HEALTHY)


def test_what_dies_by_itself_comes_back(runtime: Runtime, spec: Spec) -> None:
    own, child, _ = get(runtime, 1)
    runtime.signal("web", 1, "SIGKILL")
    eventually(lambda: web(runtime, 1).pid not in (None, int(own)), what="a new process")
    eventually(lambda: web(runtime, 1).health is Health.HEALTHY)
    assert gone(child), "what the dead one left behind was not reaped"


def test_pause_freezes_the_whole_tree_and_unpause_lifts_it(runtime: Runtime, spec: Spec) -> None:
    own, child, _ = get(runtime, 1)
    runtime.pause("web", 1)
    assert (web(runtime, 1).state, web(runtime, 1).health) == (State.PAUSED, Health.NONE)
    assert {psutil.Process(int(pid)).status() for pid in (own, child)} == {psutil.STATUS_STOPPED}
    runtime.unpause("web", 1)
    assert get(runtime, 1)[0] == own


def test_a_paused_replica_can_be_stopped_and_killed(runtime: Runtime, spec: Spec) -> None:
    runtime.pause("web", 1)
    assert runtime.stop("web", 1) == 0
    runtime.pause("web", 2)
    runtime.kill("web", 2)
    assert web(runtime, 2).exit_code == 128 + signal.SIGKILL


def test_scaling_up_and_down(runtime: Runtime, spec: Spec) -> None:
    apply_up(runtime, spec, {"web": 4})
    assert len({get(runtime, number)[0] for number in range(1, 5)}) == 4
    apply_up(runtime, spec, {"web": 1})
    assert [r.name for r in runtime.replicas(["web"])] == ["web-1"]
    with pytest.raises(StackDownError):
        runtime.endpoint("web", 8000, 3)


def test_a_one_shot_service_that_fails_says_why(runtime: Runtime, spec: Spec) -> None:
    failing = dataclasses.replace(spec.services["once"], environment={"CODE": "3"})
    broken = dataclasses.replace(spec, services={**spec.services, "once": failing})
    with pytest.raises(StackDownError) as caught:
        apply_up(runtime, broken)
    assert "once failed with exit code 3" in str(caught.value)
    assert "done once" in str(caught.value)


def test_logs_name_their_replica(runtime: Runtime, spec: Spec) -> None:
    assert [(line.replica, line.text) for line in runtime.logs(["once"])] == [("once-1", "done once")]
    assert {line.replica for line in runtime.logs(["web"])} == {"web-1", "web-2"}


def test_exec_runs_in_the_replicas_environment(runtime: Runtime, spec: Spec) -> None:
    done = runtime.exec("web", 1, ["python", "-c", "import os; print(os.environ['GREETING']); raise SystemExit(5)"])
    assert (done.exit_code, done.stdout.strip()) == (5, "50% off")
    with pytest.raises(UsageError):
        runtime.exec("web", 1, ["no-such-program"])


def test_usage_is_measured(runtime: Runtime, spec: Spec) -> None:
    measured = next(r for r in runtime.replicas(["web"], with_usage=True) if r.number == 1)
    assert measured.memory_bytes is not None
    assert measured.memory_bytes > 5_000_000
    assert measured.cpu_percent is not None


def test_a_replica_that_is_not_there(runtime: Runtime) -> None:
    with pytest.raises(StackDownError, match="no web-9"):
        runtime.start("web", 9)


def test_another_folders_stack_is_left_alone(runtime: Runtime, spec: Spec, folder: Path) -> None:
    elsewhere = dataclasses.replace(spec, directory=folder)
    with pytest.raises(ForeignError) as caught:
        LocalRuntime(elsewhere, state_dir=folder / "state", cache_dir=folder / "cache")
    assert str(spec.directory) in str(caught.value)
    assert caught.value.exit_code == 4


def test_what_a_killed_supervisor_left_behind_is_reaped(runtime: Runtime, spec: Spec, folder: Path) -> None:
    before = {pid for number in (1, 2) for pid in get(runtime, number)[:2]}
    supervisor = psutil.Process(int((folder / "state" / spec.project / "supervisord.pid").read_text()))
    supervisor.kill()
    supervisor.wait(5)
    assert psutil.pid_exists(int(next(iter(before))))
    runtime.prepare(spec)
    apply_up(runtime, spec)
    assert not [pid for pid in before if not gone(pid)]
    assert web(runtime, 1).health is Health.HEALTHY


def test_down_reaps_what_a_killed_supervisor_left_behind(runtime: Runtime, spec: Spec, folder: Path) -> None:
    before = {pid for number in (1, 2) for pid in get(runtime, number)[:2]}
    supervisor = psutil.Process(int((folder / "state" / spec.project / "supervisord.pid").read_text()))
    supervisor.kill()
    supervisor.wait(5)
    apply_down(runtime, spec)
    assert not [pid for pid in before if not gone(pid)]


def test_another_programs_process_group_is_left_alone(runtime: Runtime, spec: Spec, folder: Path) -> None:
    """A record from before its process id was given out again must not be believed."""
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        runtime.stop("web", 1)
        record = folder / "state" / spec.project / "replicas" / "web-1" / "pid.json"
        held = json.loads(record.read_text())
        record.write_text(json.dumps({**held, "pid": stranger.pid, "launched_at": time.time() - 3600}))
        supervisor = psutil.Process(int((folder / "state" / spec.project / "supervisord.pid").read_text()))
        supervisor.kill()
        supervisor.wait(5)
        runtime.prepare(spec)
        apply_up(runtime, spec)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_replica_that_just_died_can_be_stopped_for_good(runtime: Runtime, spec: Spec) -> None:
    runtime.signal("web", 1, "SIGKILL")
    runtime.stop("web", 1)
    assert web(runtime, 1).state is State.EXITED
    apply_up(runtime, spec)
    runtime.signal("web", 1, "SIGKILL")
    runtime.kill("web", 1)
    assert web(runtime, 1).state is State.EXITED


def test_nothing_but_volumes_is_left_after_down(runtime: Runtime, spec: Spec, folder: Path) -> None:
    before = {pid for number in (1, 2) for pid in get(runtime, number)[:2]}
    apply_down(runtime, spec)
    assert not [pid for pid in before if not gone(pid)]
    assert runtime.replicas() == []
    assert not (folder / "state" / spec.project / "replicas").exists()


def test_an_unknown_signal_is_refused(runtime: Runtime, spec: Spec) -> None:
    with pytest.raises(UsageError, match="SIGTERM"):
        runtime.signal("web", 1, "TERM")
