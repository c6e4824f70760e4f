"""Which runtime a project is on: the one asked for, the one it runs on already, or the one to be had.

A stack that is up on one runtime is never started, and never looked for in vain, on the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alpesctl.atomic import write_text
from alpesctl.errors import MachineError, UsageError
from alpesctl.runtimes.base import Runtime
from alpesctl.settings import Settings
from alpesctl.stack.model import Spec

AUTO, DOCKER, LOCAL = "auto", "docker", "local"


@dataclass(frozen=True)
class Chosen:
    """A runtime, and in words why it is this one."""

    runtime: Runtime
    why: str


class LastUp:
    """Remembers the runtime of a project from `up` to `down`, for when its engine has gone away."""

    def __init__(self, state_dir: Path, project: str) -> None:
        self.path = state_dir / f"{project}.runtime"

    def load(self) -> str:
        """The runtime's name, or "" where the project isn't up."""
        try:
            found = self.path.read_text().strip()
        except FileNotFoundError:
            return ""
        return found if found in (DOCKER, LOCAL) else ""

    def save(self, name: str) -> None:
        if self.load() != name:
            write_text(self.path, name)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def choose(wanted: str, spec: Spec, options: Settings) -> Chosen:
    """The runtime for the project.

    Raises UsageError for a name that is none, MachineError where the one asked for isn't to be had, or the
    project is up on the other.
    """
    if wanted not in (AUTO, DOCKER, LOCAL):
        raise UsageError(f"there is no runtime {wanted!r}", out="--runtime auto, docker or local")
    last = LastUp(options.state_dir, spec.project)
    if wanted == LOCAL and _is_local(spec, options):
        return Chosen(_local(spec, options), "it was asked for")  # where it is up already, no engine is asked
    if wanted == LOCAL:
        if last.load() == DOCKER and not _engine_answers():
            raise MachineError(
                f"the project {spec.project} is on the docker runtime, and no Docker engine answers",
                why="once it is back, so are the project's containers, and there would be two stacks",
                out=f"start the engine, then alpesctl --runtime docker down; if it is gone for good: rm {last.path}",
            )
        _refuse(spec, other=DOCKER, there=_is_on_docker(spec))
        return Chosen(_local(spec, options), "it was asked for")
    if wanted == DOCKER:
        found = _docker(spec)
        _refuse(spec, other=LOCAL, there=_is_local(spec, options))
        return Chosen(found, "it was asked for")
    if _is_local(spec, options):
        return Chosen(_local(spec, options), "the project is on it")
    if last.load() == DOCKER:
        return Chosen(_docker(spec, up=True), "the project is on it")
    if _engine_answers():
        return Chosen(_docker(spec), "a Docker engine answers")
    return Chosen(_local(spec, options), "no Docker engine answers")


def _refuse(spec: Spec, *, other: str, there: bool) -> None:
    if there:
        raise MachineError(
            f"the project {spec.project} is on the {other} runtime",
            why="both would want its ports, and its data would be in two places",
            out=f"leave --runtime and ALPES_RUNTIME out, or end it there first: alpesctl --runtime {other} down",
        )


def _is_local(spec: Spec, options: Settings) -> bool:
    from alpesctl.runtimes.local.state import ProjectState

    return any(True for _ in ProjectState(options.state_dir, spec.project).records())


def _engine_answers() -> bool:
    from alpesctl.runtimes.docker import engine

    return engine.answers()


def _is_on_docker(spec: Spec) -> bool:
    return _engine_answers() and bool(_open_docker(spec).replicas(with_health=False))


def _local(spec: Spec, options: Settings) -> Runtime:
    from alpesctl.runtimes.local.runtime import LocalRuntime

    return LocalRuntime(spec, state_dir=options.state_dir, cache_dir=options.cache_dir, java_home=options.java_home)


def _docker(spec: Spec, *, up: bool = False) -> Runtime:
    try:
        return _open_docker(spec)
    except MachineError as error:
        if not up or error.code != MachineError.code:
            raise
        what = f"{error.what}, and the project {spec.project} is on it"
        out = "start it: systemctl start docker, or dockerd as root; its containers come back with it"
        raise MachineError(what, why=error.why, out=out) from error


def _open_docker(spec: Spec) -> Runtime:
    from alpesctl.runtimes.docker.runtime import DockerRuntime

    return DockerRuntime(spec)
