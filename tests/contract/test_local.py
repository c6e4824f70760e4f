"""What the local runtime must do beyond the contract: whatever becomes of supervisord, no process is lost."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from alpesctl.runtimes.base import Health, Runtime
from alpesctl.runtimes.local.survey import survey
from alpesctl.settings import Settings
from alpesctl.stack.model import Spec
from tests.contract.acting import apply_down, apply_up, left, processes, web
from tests.contract.labs import LocalLab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> LocalLab:
    return LocalLab(tmp_path_factory.mktemp("runtime"))


@pytest.fixture
def state(lab: LocalLab, spec: Spec) -> Path:
    return lab.state(spec)


def kill_supervisor(state: Path) -> None:
    supervisor = psutil.Process(int((state / "supervisord.pid").read_text()))
    supervisor.kill()
    supervisor.wait(5)


def test_a_pause_stops_every_process(runtime: Runtime) -> None:
    whole = processes(runtime, 1)
    runtime.pause("web", 1)
    assert {process.status() for process in whole} == {psutil.STATUS_STOPPED}
    runtime.unpause("web", 1)
    assert psutil.STATUS_STOPPED not in {process.status() for process in whole}


def test_what_a_killed_supervisor_left_behind_is_reaped(runtime: Runtime, spec: Spec, state: Path) -> None:
    before = processes(runtime, 1, 2)
    options = Settings(state_dir=state.parent, cache_dir=state.parent)
    assert survey(spec, options).leftovers == ()
    kill_supervisor(state)
    assert left(before) == before
    told = survey(spec, options)
    assert ["run without their supervisor" in each.what for each in told.leftovers] == [True]
    assert set(told.left_on.values()) >= {"web-1", "web-2"}
    runtime.prepare(spec)
    apply_up(runtime, spec)
    assert left(before) == []
    assert web(runtime, 1).health is Health.HEALTHY


def test_down_reaps_what_a_killed_supervisor_left_behind(runtime: Runtime, spec: Spec, state: Path) -> None:
    before = processes(runtime, 1, 2)
    kill_supervisor(state)
    apply_down(runtime, spec)
    assert left(before) == []


def test_another_programs_process_group_is_left_alone(runtime: Runtime, spec: Spec, state: Path) -> None:
    """A record from before its process id was given out again must not be believed."""
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        runtime.stop("web", 1)
        record = state / "replicas" / "web-1" / "pid.json"
        held = json.loads(record.read_text())
        record.write_text(json.dumps({**held, "pid": stranger.pid, "launched_at": time.time() - 3600}))
        kill_supervisor(state)
        runtime.prepare(spec)
        apply_up(runtime, spec)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_nothing_but_volumes_is_left_after_down(runtime: Runtime, spec: Spec, state: Path) -> None:
    assert (state / "replicas").is_dir()
    apply_down(runtime, spec)
    assert not (state / "replicas").exists()
