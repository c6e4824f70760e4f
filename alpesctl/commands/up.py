"""`alpesctl up`: brings the stack, or some services and what they depend on, to what it should be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from alpesctl.commands.addresses import reachable
from alpesctl.commands.options import DryRun, Json, Services
from alpesctl.context import Context, context_of
from alpesctl.errors import AlpesError
from alpesctl.result import Result, Table

if TYPE_CHECKING:
    from alpesctl.project import Project
    from alpesctl.reconcile.plan import Operation


def up(
    ctx: typer.Context,
    services: Services = None,
    remove_orphans: Annotated[
        bool, typer.Option("--remove-orphans", help="Remove what is no longer in the compose file.")
    ] = False,
    build: Annotated[bool, typer.Option("--build", help="Build anew what the compose file says how to build.")] = False,
    stand_ins: Annotated[
        bool | None,
        typer.Option(
            "--stand-ins/--no-stand-ins", help="Images built here for those that can't be pulled; remembered."
        ),
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Bring the stack up, and wait until all of it is healthy. Does only what is missing."""
    context = context_of(ctx)
    if dry_run:
        from alpesctl.commands.plan import show_plan

        if stand_ins is not None:
            context.project.with_stand_ins(stand_ins)
        return show_plan(context, services or [], command="up", remove_orphans=remove_orphans)
    if stand_ins is not None:
        from alpesctl.commands.images import use_stand_ins

        use_stand_ins(context, stand_ins)
    return bring_up(context, services or [], remove_orphans=remove_orphans, rebuild=build)


def bring_up(context: Context, services: list[str], *, remove_orphans: bool = False, rebuild: bool = False) -> Result:
    """Plan and apply until nothing is left to do; what was done is the result."""
    from alpesctl.reconcile.plan import plan_up, with_dependencies

    project = context.project
    wanted = with_dependencies(project.spec, services)
    with project.locks.whole(), context.progress("up") as progress, _full_disk_told(project):
        chosen = project.chosen
        progress.note(f"project {project.spec.project} on the {chosen.runtime.name} runtime: {chosen.why}")
        project.last_up.save(chosen.runtime.name)
        chosen.runtime.prepare(project.spec, wanted, progress.step, rebuild=rebuild)
        done: list[Operation] = []
        # The second look knows the broker's topics, which the first may not have been able to ask for.
        for _ in range(2):
            plan = plan_up(project.desired(services, remove_orphans=remove_orphans), project.observe())
            project.applier(progress.operation).apply(plan)
            done += plan.operations
            if not plan.operations:
                break
    found = reachable(context)
    lines = [f"{len(done)} operations" if done else "nothing to do: the stack is as it should be"]
    return Result(
        command="up",
        data={
            "project": project.spec.project,
            "runtime": project.runtime.name,
            "operations": [str(operation) for operation in done],
            "addresses": found,
            "orphans": list(plan.orphans),
        },
        lines=lines,
        tables=[Table("Addresses", ["what", "where"], [[a["title"], a["url"]] for a in found])],
        notes=[
            *plan.notes,
            "demo mode: no keys or passwords but those of the compose file, everything on loopback",
            "alpesctl down stops it and keeps its data",
        ],
    )


@contextmanager
def _full_disk_told(project: Project) -> Iterator[None]:
    """Raises MachineError where a disk is full, whatever came of it: a part that doesn't start, or one that
    seems well until something is written."""
    from alpesctl.diagnosis.machine import disk_is_full

    try:
        yield
    except AlpesError as error:
        if full := disk_is_full(project.runtime.rooms(), f"{error.what}: {error.why}"):
            raise full from error
        raise
    if full := disk_is_full(project.runtime.rooms()):
        raise full
