"""`alpesctl scenario …`: runs a scenario file against the stack and judges what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alpesctl.commands.options import Json
from alpesctl.context import Context, context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result, Table, plain

if TYPE_CHECKING:
    from alpesctl.experiments.bench import Bench
    from alpesctl.experiments.model import Scenario
    from alpesctl.experiments.overrides import Overrides
    from alpesctl.experiments.record import Record
    from alpesctl.project import Project

Rate = Annotated[float | None, typer.Option(help="Events a second.")]
NoFaults = Annotated[bool, typer.Option("--no-faults", help="Load only: kill nothing.")]


def list_(ctx: typer.Context, json: Json = False) -> Result:
    """Show the scenarios of this project.

    A file that can't be used is named, and the exit code is 2.
    """
    from alpesctl.experiments.scenario import load_scenario

    found, broken = [], []
    for path in sorted(_folder(context_of(ctx)).glob("*.toml")):
        try:
            found.append(load_scenario(path))
        except UsageError as error:
            broken.append({"file": str(path), "what": error.what, "why": error.why, "out": error.out})
    rows = [[s.name, s.title, ", ".join(f"{f.at:g} s" for f in s.faults) or "none"] for s in found]
    empty = "no file in scenarios/ can be used" if broken else "there is no file in scenarios/"
    listed = [{"name": s.name, "title": s.title, "file": s.source, "faults": plain(s.faults)} for s in found]
    return Result(
        "scenario list",
        {"scenarios": listed, "broken": broken},
        tables=[Table("Scenarios", ["name", "what", "faults at"], rows, empty)],
        notes=[f"can't be used: {'; '.join(filter(None, (e['what'], e['why'], e['out'])))}" for e in broken],
        exit_code=UsageError.exit_code if broken else 0,
    )


def run(
    ctx: typer.Context,
    scenarios: Annotated[list[str], typer.Argument(help="Names in scenarios/, or paths; run one after the other.")],
    rate: Rate = None,
    duration: Annotated[float | None, typer.Option(help="Seconds of load.")] = None,
    count: Annotated[int | None, typer.Option(help="Events in all.")] = None,
    no_faults: NoFaults = False,
    json: Json = False,
) -> Result:
    """Run scenario files, and judge what came of each."""
    from alpesctl.experiments.overrides import Overrides
    from alpesctl.report.summary import several, summary

    overrides = Overrides(rate=rate, duration=duration, count=count, faults=not no_faults)
    records = _run(context_of(ctx), scenarios, overrides)
    return summary(records[0]) if len(scenarios) == 1 else several(records)


def performance(
    ctx: typer.Context,
    rate: Rate = None,
    duration: Annotated[float | None, typer.Option(help="Seconds of load.")] = None,
    partitions: Annotated[int | None, typer.Option(help="Partitions of the topic, at least.")] = None,
    workers: Annotated[int | None, typer.Option(help="Replicas of the worker.")] = None,
    no_faults: NoFaults = False,
    json: Json = False,
) -> Result:
    """1,500 messages a second over Pulsar for a minute, a worker killed under way; each counted once?"""
    from alpesctl.experiments.overrides import Overrides
    from alpesctl.report.summary import summary

    overrides = Overrides(
        rate=rate,
        duration=duration,
        faults=not no_faults,
        replicas={} if workers is None else workers,
        partitions={} if partitions is None else partitions,
    )
    return summary(*_run(context_of(ctx), ["performance"], overrides))


def availability(
    ctx: typer.Context,
    requests: Annotated[int | None, typer.Option(help="Requests in all.")] = None,
    rate: Rate = None,
    replicas: Annotated[int | None, typer.Option(help="Replicas of the service.")] = None,
    no_faults: NoFaults = False,
    json: Json = False,
) -> Result:
    """10,000 POSTs through nginx over three replicas, one killed under way; each answered, each counted?"""
    from alpesctl.experiments.overrides import Overrides
    from alpesctl.report.summary import summary

    overrides = Overrides(
        rate=rate, count=requests, faults=not no_faults, replicas={} if replicas is None else replicas
    )
    return summary(*_run(context_of(ctx), ["availability"], overrides))


def _folder(context: Context) -> Path:
    return context.project.spec.directory / "scenarios"


def _path(context: Context, name: str) -> Path:
    for path in (_folder(context) / f"{name}.toml", Path(name)):
        if path.is_file():
            return path
    known = ", ".join(sorted(p.stem for p in _folder(context).glob("*.toml"))) or "none"
    raise UsageError(f"there is no scenario {name!r}", why=f"scenarios here: {known}", out="alpesctl scenario list")


def _run(context: Context, names: list[str], overrides: Overrides) -> list[Record]:
    """Their records; all files are read before the first is run, and an interruption ends the rest too."""
    from alpesctl.experiments.bench import Bench
    from alpesctl.experiments.scenario import load_scenario
    from alpesctl.shaper import PlanShaper

    scenarios = [load_scenario(_path(context, name), overrides) for name in names]
    project = context.project
    bench = Bench(
        runtime=project.runtime,
        spec=project.spec,
        admin=project.admin(),
        shaper=PlanShaper(project),
        root=project.records,
        journal=project.journal,
    )
    records: list[Record] = []
    for scenario in scenarios:
        records.append(_one(project, scenario, bench))
        if records[-1].outcome == "interrupted":
            break
    return records


def _one(project: Project, scenario: Scenario, bench: Bench) -> Record:
    from alpesctl.experiments.document import noted
    from alpesctl.experiments.engine import run_scenario
    from alpesctl.experiments.live import observer
    from alpesctl.experiments.record import write

    view = observer()
    with project.locks.run():
        try:
            record = run_scenario(scenario, bench, view)
        finally:
            view.end()
        if changes := project.locks.changes():
            record = write(record.directory, noted(record.document, [f"beside the run, {line}" for line in changes]))
    return record
