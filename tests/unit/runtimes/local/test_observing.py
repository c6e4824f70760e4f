from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from alpesctl.runtimes.base import Health, State
from alpesctl.runtimes.local.observing import Observer
from alpesctl.runtimes.local.state import ProjectState, ReplicaRecord
from alpesctl.runtimes.local.supervision import BACKOFF, EXITED, RUNNING, STARTING, STOPPED
from alpesctl.stack.model import HealthCheck, Service, Spec

LONG_AGO = 1_000


class FakeSupervisor:
    """supervisor's view of one program."""

    def __init__(self, entry: dict[str, Any] | None, last_signal: int | None = None) -> None:
        self._entry = entry
        self._last_signal = last_signal

    def info(self) -> dict[str, dict[str, Any]]:
        return {} if self._entry is None else {"web-1": self._entry}

    def last_signal(self, program: str) -> int | None:
        return self._last_signal


def record(*, autorestart: bool = True, check: list[str] | None = None) -> ReplicaRecord:
    return ReplicaRecord(
        service="web",
        number=1,
        digest="d",
        recipe="",
        autorestart=autorestart,
        on_failure=False,
        one_shot=False,
        stop_signal="SIGTERM",
        stop_grace=1.0,
        ports={"8000": 7001},
        health_url="",
        health_command=check or [],
        health_timeout=5.0,
    )


def observer(folder: Path, made: ReplicaRecord, supervisor: FakeSupervisor, *, start_period: float = 0.0) -> Observer:
    state = ProjectState(folder, "p")
    state.ensure()
    state.replica_folder("web", 1).mkdir()
    state.save(made)
    health = HealthCheck(("true",), start_period=start_period)
    web = Service(name="web", image="", command=(), environment={}, health=health)
    spec = Spec(project="p", directory=folder, files=(), services={"web": web})
    return Observer(spec, state, supervisor)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "autorestart", "state"),
    [
        (None, True, State.CREATED),
        ({"state": STOPPED, "start": 0}, True, State.CREATED),
        ({"state": STARTING, "start": LONG_AGO, "pid": os.getpid()}, True, State.RUNNING),
        ({"state": RUNNING, "start": LONG_AGO, "pid": os.getpid()}, True, State.RUNNING),
        ({"state": BACKOFF, "start": LONG_AGO}, True, State.RESTARTING),
        ({"state": EXITED, "start": LONG_AGO, "stop": LONG_AGO}, True, State.RESTARTING),
        ({"state": EXITED, "start": LONG_AGO, "stop": LONG_AGO}, False, State.EXITED),
        ({"state": STOPPED, "start": LONG_AGO, "stop": LONG_AGO}, True, State.EXITED),
    ],
)
def test_supervisors_states_are_told_in_dockers_words(
    tmp_path: Path, entry: dict[str, Any] | None, autorestart: bool, state: State
) -> None:
    made = record(autorestart=autorestart)
    found = observer(tmp_path, made, FakeSupervisor(entry)).replica(made)
    assert (found.name, found.state) == ("web-1", state)
    assert found.pid == (os.getpid() if state is State.RUNNING else None)


@pytest.mark.parametrize(("status", "last_signal", "code"), [(0, None, 0), (3, None, 3), (-1, 9, 137), (-1, None, 255)])
def test_an_end_by_signal_is_128_and_its_number(
    tmp_path: Path, status: int, last_signal: int | None, code: int
) -> None:
    entry = {"state": STOPPED, "start": LONG_AGO, "stop": LONG_AGO, "exitstatus": status}
    made = record()
    watching = observer(tmp_path, made, FakeSupervisor(entry, last_signal))
    assert watching.replica(made).exit_code == code
    assert watching.exit_code("web-1") == code


@pytest.mark.parametrize(
    ("code", "age", "health"),
    [(0, 1000, Health.HEALTHY), (1, 0, Health.STARTING), (1, 1000, Health.UNHEALTHY)],
)
def test_a_failing_check_counts_once_the_start_period_has_passed(
    tmp_path: Path, code: int, age: int, health: Health
) -> None:
    made = record(check=[sys.executable, "-c", f"raise SystemExit({code})"])
    entry = {"state": RUNNING, "start": int(time.time()) - age, "pid": os.getpid()}
    watching = observer(tmp_path, made, FakeSupervisor(entry), start_period=60)
    assert [r.health for r in watching.replicas(None, with_usage=False, with_health=True)] == [health]
    assert [r.health for r in watching.replicas(None, with_usage=False, with_health=False)] == [Health.NONE]
    assert watching.replicas(["other"], with_usage=False, with_health=True) == []
