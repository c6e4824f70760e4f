"""What every runtime must do, on a small project of its own."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
import urllib.error
from pathlib import Path

import pytest

from alpesctl.errors import AlpesError, ForeignError, StackDownError, UsageError
from alpesctl.runtimes.base import Health, Runtime, State
from alpesctl.stack.model import Spec
from tests.contract.acting import apply_down, apply_up, fetch, get, in_shell, left, processes, web
from tests.contract.labs import Lab
from tests.waiting import eventually


def test_up_twice_does_nothing_the_second_time(runtime: Runtime, spec: Spec) -> None:
    assert apply_up(runtime, spec) == []
    assert [(r.name, r.state, r.health) for r in runtime.replicas()] == [
        ("once-1", State.EXITED, Health.NONE),
        ("web-1", State.RUNNING, Health.HEALTHY),
        ("web-2", State.RUNNING, Health.HEALTHY),
    ]


def test_the_environment_arrives_as_written(runtime: Runtime, spec: Spec) -> None:
    assert get(runtime, 1).greeting == "50% off"


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


def test_the_words_for_a_shell_do_what_the_runtime_does(runtime: Runtime, spec: Spec) -> None:
    in_shell(*runtime.shell("stop", "web", 1))
    assert (web(runtime, 1).state, web(runtime, 1).exit_code) == (State.EXITED, 0)
    in_shell(*runtime.shell("start", "web", 1), *runtime.shell("await_healthy", "web", 1))
    assert web(runtime, 1).health is Health.HEALTHY
    assert in_shell(runtime.shell_exec("web", 1, ["printenv", "GREETING"])) == "50% off\n"
    runtime.pause("web", 1)
    in_shell(*runtime.shell("unpause", "web", 1))
    assert web(runtime, 1).state is State.RUNNING
    # A check that the pause cut short may count as failed until the next one.
    eventually(lambda: web(runtime, 1).health is Health.HEALTHY, what="healthy again")
    assert apply_up(runtime, spec) == []


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
    whole = processes(runtime, 1)
    runtime.kill("web", 1)
    replica = web(runtime, 1)
    assert (replica.state, replica.exit_code) == (State.EXITED, 128 + signal.SIGKILL)
    assert left(whole) == []
    mine = [line.text for line in runtime.logs(["web"], tail=1) if line.replica == "web-1"]
    assert mine == ["2026-01-01T00:00:00Z serving"], "a handler ran"
    runtime.start("web", 1)
    assert eventually(lambda: web(runtime, 1).health is Health.HEALTHY)


def test_what_dies_by_itself_comes_back(runtime: Runtime, spec: Spec) -> None:
    main, child = processes(runtime, 1)
    before = web(runtime, 1).restarts
    runtime.signal("web", 1, "SIGKILL")
    eventually(lambda: web(runtime, 1).pid not in (None, main.pid), what="a new process")
    eventually(lambda: web(runtime, 1).health is Health.HEALTHY)
    assert web(runtime, 1).restarts == before + 1
    runtime.stop("web", 1)
    runtime.start("web", 1)
    assert web(runtime, 1).restarts == 0
    assert left([main, child]) == [], "what the dead one left behind was not reaped"


def test_pause_freezes_the_whole_tree_and_unpause_lifts_it(runtime: Runtime, spec: Spec) -> None:
    before, url, whole = get(runtime, 1), f"http://{runtime.endpoint('web', 8000, 1)}/", processes(runtime, 1)
    runtime.pause("web", 1)
    assert (web(runtime, 1).state, web(runtime, 1).health) == (State.PAUSED, Health.NONE)

    def scheduled() -> list[int]:
        return [process.num_ctx_switches().voluntary for process in whole]

    held = scheduled()
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        fetch(url, timeout=1)
    assert scheduled() == held, "a process of it went on"
    runtime.unpause("web", 1)
    assert get(runtime, 1) == before
    assert scheduled() != held


def test_a_paused_replica_can_be_stopped_and_killed(runtime: Runtime, spec: Spec) -> None:
    runtime.pause("web", 1)
    assert runtime.stop("web", 1) == 0
    runtime.pause("web", 2)
    runtime.kill("web", 2)
    assert web(runtime, 2).exit_code == 128 + signal.SIGKILL


def test_scaling_up_and_down(runtime: Runtime, spec: Spec) -> None:
    apply_up(runtime, spec, {"web": 4})
    assert len({get(runtime, number).instance for number in range(1, 5)}) == 4
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


def test_exec_is_bounded_in_time(runtime: Runtime, spec: Spec) -> None:
    began = time.monotonic()
    with pytest.raises(AlpesError, match="did not end within 1 s"):
        runtime.exec("web", 1, ["python", "-c", "import time; time.sleep(8)"], timeout=1.0)
    assert time.monotonic() - began < 6


def test_followed_lines_come_once_and_go_on_after_a_restart(runtime: Runtime, spec: Spec) -> None:
    before = [line.text for line in runtime.logs(["web"]) if line.replica == "web-1"]
    found: list[str] = []

    def follow() -> None:
        for line in runtime.logs(["web"], follow=True):
            if line.replica == "web-1":
                found.append(line.text)

    threading.Thread(target=follow, daemon=True).start()
    eventually(lambda: len(found) >= len(before), what="the lines that were there")
    restart = ["polite stop", "2026-01-01T00:00:00Z serving"]

    def restart_once(expected: list[str]) -> None:
        runtime.stop("web", 1)
        runtime.start("web", 1)
        eventually(lambda: len(found) >= len(expected), what="the lines of the restart")
        assert found == expected

    restart_once([*before, *restart])
    restart_once([*before, *restart, *restart])


def test_usage_is_measured(runtime: Runtime, spec: Spec) -> None:
    measured = next(r for r in runtime.replicas(["web"], with_usage=True) if r.number == 1)
    assert measured.memory_bytes is not None
    assert measured.memory_bytes > 5_000_000
    assert measured.cpu_percent is not None


def test_a_replica_that_is_not_there(runtime: Runtime) -> None:
    with pytest.raises(StackDownError, match="no web-9"):
        runtime.start("web", 9)


def test_another_folders_stack_is_left_alone(runtime: Runtime, spec: Spec, lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(ForeignError) as caught:
        lab.open(dataclasses.replace(spec, directory=tmp_path))
    assert str(spec.directory) in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_replica_that_just_died_can_be_stopped_for_good(runtime: Runtime, spec: Spec) -> None:
    runtime.signal("web", 1, "SIGKILL")
    runtime.stop("web", 1)
    assert web(runtime, 1).state is State.EXITED
    apply_up(runtime, spec)
    runtime.signal("web", 1, "SIGKILL")
    runtime.kill("web", 1)
    assert web(runtime, 1).state is State.EXITED


def test_nothing_is_left_after_down(runtime: Runtime, spec: Spec) -> None:
    whole = processes(runtime, 1, 2)
    apply_down(runtime, spec)
    assert left(whole) == []
    assert runtime.replicas() == []


def test_an_unknown_signal_is_refused(runtime: Runtime, spec: Spec) -> None:
    with pytest.raises(UsageError, match="SIGTERM"):
        runtime.signal("web", 1, "TERM")
