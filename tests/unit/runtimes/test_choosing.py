"""Which runtime a project is on must not depend on luck, and what can't be known must be said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alpesctl.errors import MachineError, UsageError
from alpesctl.runtimes import choosing
from alpesctl.runtimes.local.state import ProjectState, ReplicaRecord
from alpesctl.settings import Settings
from alpesctl.stack.model import Spec

RECORD = ReplicaRecord(
    service="web",
    number=1,
    digest="",
    recipe="",
    autorestart=False,
    on_failure=False,
    one_shot=False,
    stop_signal="SIGTERM",
    stop_grace=1.0,
    ports={},
    health_url="",
    health_command=[],
    health_timeout=1.0,
)
SPEC = Spec("shop", Path("/srv"), (), {})
Machine = Callable[..., None]


@pytest.fixture
def options(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, cache_dir=tmp_path)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with or without an engine, and where the project is up."""

    def set_up(*, engine: bool, up: str = "") -> None:
        def docker(spec: Spec) -> str:
            if not engine:
                raise MachineError("the Docker engine does not answer", why="its socket is not there", out="start it")
            return "docker"

        monkeypatch.setattr(choosing, "_engine_answers", lambda: engine)
        monkeypatch.setattr(choosing, "_open_docker", docker)
        monkeypatch.setattr(choosing, "_local", lambda spec, options: "local")
        monkeypatch.setattr(choosing, "_is_local", lambda spec, options: up == "local")
        monkeypatch.setattr(choosing, "_is_on_docker", lambda spec: engine and up == "docker")

    return set_up


@pytest.mark.parametrize(
    ("wanted", "engine", "up", "runtime", "why"),
    [
        ("auto", True, "", "docker", "a Docker engine answers"),
        ("auto", False, "", "local", "no Docker engine answers"),
        ("auto", True, "local", "local", "the project is on it"),
        ("auto", True, "docker", "docker", "a Docker engine answers"),
        ("local", True, "", "local", "it was asked for"),
        ("docker", True, "", "docker", "it was asked for"),
    ],
)
def test_the_choice(
    machine: Machine, options: Settings, wanted: str, engine: bool, up: str, runtime: str, why: str
) -> None:
    machine(engine=engine, up=up)
    chosen = choosing.choose(wanted, SPEC, options)
    assert (chosen.runtime, chosen.why) == (runtime, why)  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(("wanted", "up"), [("local", "docker"), ("docker", "local")])
def test_a_stack_on_the_other_runtime_is_said_not_trampled(
    machine: Machine, options: Settings, wanted: str, up: str
) -> None:
    machine(engine=True, up=up)
    with pytest.raises(MachineError, match=f"shop is on the {up} runtime") as caught:
        choosing.choose(wanted, SPEC, options)
    assert f"alpesctl --runtime {up} down" in str(caught.value)


def test_an_engine_that_went_away_under_the_stack_is_missed(machine: Machine, options: Settings) -> None:
    machine(engine=False)
    choosing.LastUp(options.state_dir, "shop").save("docker")
    with pytest.raises(MachineError, match="does not answer, and the project shop is on it") as caught:
        choosing.choose("auto", SPEC, options)
    assert caught.value.exit_code == 4
    choosing.LastUp(options.state_dir, "shop").forget()
    assert choosing.choose("auto", SPEC, options).why == "no Docker engine answers"


def test_a_stack_whose_engine_went_away_is_not_started_twice(machine: Machine, options: Settings) -> None:
    machine(engine=False)
    last = choosing.LastUp(options.state_dir, "shop")
    last.save("docker")
    with pytest.raises(MachineError, match="no Docker engine answers") as caught:
        choosing.choose("local", SPEC, options)
    assert f"rm {last.path}" in str(caught.value)
    machine(engine=True)
    assert choosing.choose("local", SPEC, options).runtime == "local"  # type: ignore[comparison-overlap]


def test_docker_asked_for_without_an_engine(machine: Machine, options: Settings) -> None:
    machine(engine=False)
    with pytest.raises(MachineError, match="the Docker engine does not answer"):
        choosing.choose("docker", SPEC, options)


def test_there_is_no_other_runtime(options: Settings) -> None:
    with pytest.raises(UsageError, match="podman"):
        choosing.choose("podman", SPEC, options)


def test_a_project_is_local_once_a_replica_of_it_was_made(options: Settings) -> None:
    assert not choosing._is_local(SPEC, options)
    state = ProjectState(options.state_dir, "shop")
    state.replica_folder("web", 1).mkdir(parents=True)
    state.save(RECORD)
    assert choosing._is_local(SPEC, options)
