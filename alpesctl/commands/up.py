"""`alpesctl up`: brings the stack, or some services and what they depend on, to what it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alpesctl.commands.addresses import reachable
from alpesctl.commands.options import DryRun, Json, Services
from alpesctl.context import Context, context_of
from alpesctl.result import Result, Table

if TYPE_CHECKING:
    from alpesctl.reconcile.plan import Operation


def up(
    ctx: typer.Context,
    services: Services = None,
    remove_orphans: Annotated[
        bool, typer.Option("--remove-orphans", help="Remove what is no longer in the compose file.")
    ] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Bring the stack up, and wait until all of it is healthy. Does only what is missing."""
    context = context_of(ctx)
    if dry_run:
        from alpesctl.commands.plan import show_plan

        return show_plan(context, services or [], remove_orphans=remove_orphans)
    return bring_up(context, services or [], remove_orphans=remove_orphans)


def bring_up(context: Context, services: list[str], *, remove_orphans: bool = False) -> Result:
    """Plan and apply until nothing is left to do; what was done is the result."""
    from alpesctl.reconcile.plan import plan_up, with_dependencies

    project = context.project
    with_dependencies(project.spec, services)
    with project.lock(), context.progress("up") as progress:
        progress.note(f"project {project.spec.project} on the {project.runtime.name} runtime")
        project.runtime.prepare(project.spec)
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
            "demo mode: no API keys, the passwords of the compose file, everything on loopback",
            "alpesctl down stops it and keeps its data",
        ],
    )
