"""Gathers the facts of a machine and a stack, whatever is away, and hands them to the checks. Changes nothing."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import psutil

from alpesctl.diagnosis import broker, machine, stack
from alpesctl.diagnosis.finding import Finding, Severity, Side
from alpesctl.diagnosis.words import cause
from alpesctl.errors import AlpesError
from alpesctl.experiments.topic import HOLD_PREFIX, dead_holds
from alpesctl.project import Project
from alpesctl.pulsar_admin import PulsarAdmin, TopicStats
from alpesctl.runtimes.base import Replica, State
from alpesctl.runtimes.choosing import Chosen
from alpesctl.runtimes.loopback import listeners
from alpesctl.runtimes.survey import Survey, survey_all
from alpesctl.settings import Settings

_TAIL = 200
_BETWEEN_LOOKS = 1.0  # seconds between two readings of a backlog, at least


def examine_machine(settings: Settings) -> list[Finding]:
    """What can be told without a compose file."""
    return [*_memory(needed=None), *_surveyed(survey_all(None, settings), used="")]


def examine(project: Project, settings: Settings) -> list[Finding]:
    """Everything about the project and the machine it is on."""
    surveys = survey_all(project.spec, settings)
    chosen = _chosen(project)
    if isinstance(chosen, AlpesError):
        found: tuple[Replica, ...] = ()
        runtime = [_problem(Side.MACHINE, "runtime", chosen)]
        used = ""
    else:
        used = chosen.runtime.name
        runtime = [Finding(Side.MACHINE, Severity.OK, "runtime", f"{used}: {chosen.why}")]
        try:
            found = tuple(chosen.runtime.replicas())
        except AlpesError as error:
            found, runtime = (), [*runtime, _problem(Side.MACHINE, "runtime", error)]
    return [
        Finding(Side.STACK, Severity.OK, "project", f"{project.spec.project}, from {project.spec.directory}"),
        *runtime,
        *_memory(needed=None if any(r.state is State.RUNNING for r in found) else project.spec.memory),
        *_surveyed(surveys, used=used),
        *(_rooms(project) if used else ()),
        *_ports(project, found, surveys),
        *_stale(project, surveys),
        *(_stack(project, found) if used else ()),
    ]


def _chosen(project: Project) -> Chosen | AlpesError:
    try:
        return project.chosen
    except AlpesError as error:
        return error


def _problem(side: Side, subject: str, error: AlpesError) -> Finding:
    return Finding(side, Severity.PROBLEM, subject, error.what, error.why, error.out)


def _memory(*, needed: int | None) -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    yield machine.memory(memory.available, memory.total, needed=needed)
    yield Finding(Side.MACHINE, Severity.OK, "version", f"Python {platform.python_version()} on {platform.platform()}")


def _surveyed(surveys: Mapping[str, Survey], *, used: str) -> Iterator[Finding]:
    for name, survey in surveys.items():
        yield from (machine.program(each, used=name == used) for each in survey.programs)
        yield from (machine.disk(room) for room in survey.rooms)
        for left in survey.leftovers:
            yield Finding(Side.MACHINE, Severity.WARNING, "left behind", left.what, left.why, left.out)


def _rooms(project: Project) -> Iterator[Finding]:
    try:
        yield from (machine.disk(room) for room in project.runtime.rooms())
    except AlpesError as error:
        yield _problem(Side.MACHINE, "disk", error)


def _ports(project: Project, found: tuple[Replica, ...], surveys: Mapping[str, Survey]) -> Iterator[Finding]:
    ours = {
        endpoint.port: replica.name
        for replica in found
        if replica.state in (State.RUNNING, State.PAUSED, State.RESTARTING)
        for _, endpoint in replica.endpoints
    }
    ours |= {port: name for survey in surveys.values() for port, name in survey.left_on.items()}
    known = {port: name for survey in surveys.values() for port, name in survey.holders.items()}
    everyone = listeners()
    ports = machine.Ports(ours, {port: name for port, name in known.items() if port in everyone}, everyone)
    counts = project.counts()
    for name, service in project.spec.services.items():
        yield from machine.ports(service, counts.get(name, service.replicas), ports)


def _stale(project: Project, surveys: Mapping[str, Survey]) -> Iterator[Finding]:
    noted = project.last_up.load()
    on = [name for name, survey in surveys.items() if survey.replicas]
    if len(on) > 1:
        yield Finding(
            Side.MACHINE,
            Severity.PROBLEM,
            "left behind",
            f"the project is on two runtimes: {' and '.join(on)}",
            "both want its ports, and its data is in two places",
            f"alpesctl --runtime {on[0]} down, or the other one",
        )
    faults = ", ".join(map(str, project.journal.entries()))
    if faults and project.locks.running():
        yield Finding(Side.STACK, Severity.OK, "run", f"a scenario is at work, and has brought about: {faults}")
    elif faults:
        yield Finding(
            Side.STACK,
            Severity.WARNING,
            "left behind",
            f"a run that was killed has not undone its faults: {faults}",
            "it was killed before it could",
            "alpesctl status, or any other command that does more than look, undoes them",
        )
    # An engine that is away can't be asked; its own finding says so.
    asked = any(p.version for p in surveys[noted].programs if p.needed) if noted in surveys else False
    if noted and asked and noted not in on:
        yield Finding(
            Side.STACK,
            Severity.WARNING,
            "left behind",
            f"the project is noted as up on {noted}, and nothing of it is there",
            "it was removed by other means than alpesctl down",
            f"alpesctl up, or alpesctl down, or rm {project.last_up.path}",
        )


def _stack(project: Project, found: tuple[Replica, ...]) -> Iterator[Finding]:
    causes = {r.name: _cause(project, r) for r in found if stack.needs_cause(r, project.spec)}
    yield from stack.replicas(found, project.spec, project.counts(), causes)
    pulsar = project.spec.pulsar
    if pulsar is None or not any(r.service == pulsar.service and r.state is State.RUNNING for r in found):
        return
    try:
        partial = not {r.service for r in found} >= set(project.spec.services)
        yield from broker.topics(pulsar, _broker(project), partial=partial)
    except AlpesError as error:
        yield _problem(Side.STACK, "broker", error)


def _cause(project: Project, replica: Replica) -> list[str]:
    try:
        lines = project.runtime.logs([replica.service], tail=_TAIL)
        return cause(line.text for line in lines if line.replica == replica.name)
    except AlpesError as error:
        return [f"its log can't be read: {error.what}"]


def _broker(project: Project) -> broker.Broker:
    pulsar = project.spec.pulsar
    assert pulsar is not None
    admin = project.admin()
    began = time.monotonic()
    there = admin.topics()
    stats = {topic.name: admin.stats(topic.name) for topic in pulsar.topics if topic.name in there}
    others = [admin.stats(name) for name in sorted(there - stats.keys()) if name.endswith(broker.DEAD_LETTERS)]
    dead = {hold: name for name, each in stats.items() for hold in dead_holds(each.subscriptions, project.records)}
    without_holds = {name: _without_holds(each) for name, each in stats.items()}
    waiting = [name for name, each in without_holds.items() if any(s.backlog for s in each.subscriptions.values())]
    later, seconds = _look_again(admin, waiting, began)
    return broker.Broker(without_holds, others, later, seconds, dead)


def _look_again(admin: PulsarAdmin, topics: list[str], began: float) -> tuple[dict[tuple[str, str], int], float]:
    """The backlogs of these topics a moment later, and how much later that was."""
    if not topics:
        return {}, 0.0
    time.sleep(max(0.0, _BETWEEN_LOOKS - (time.monotonic() - began)))
    later = {(name, s.name): s.backlog for name in topics for s in admin.stats(name).subscriptions.values()}
    return later, time.monotonic() - began


def _without_holds(stats: TopicStats) -> TopicStats:
    kept = {name: each for name, each in stats.subscriptions.items() if not name.startswith(HOLD_PREFIX)}
    return replace(stats, subscriptions=kept)
