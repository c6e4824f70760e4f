"""`alpesctl down`: stops and removes every replica; volumes stay unless asked."""

from __future__ import annotations

from typing import Annotated

import typer

from alpesctl.commands.options import DryRun, Json, Yes
from alpesctl.context import context_of
from alpesctl.result import Result


def down(
    ctx: typer.Context,
    volumes: Annotated[bool, typer.Option("--volumes", "-v", help="Delete all data too.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Stop the stack: each part by its own signal and grace. Data stays, unless --volumes."""
    from alpesctl.reconcile.plan import plan_down

    context = context_of(ctx)
    project = context.project
    plan = plan_down(project.spec, project.observe())
    if dry_run:
        doomed = project.runtime.volumes() if volumes else []
        lines = [*str(plan).splitlines(), *(f"delete the volume {name}: all data is to go" for name in doomed)]
        data = {"operations": [str(o) for o in plan.operations], "volumes": doomed}
        return Result("down", data, lines=lines or ["nothing to do: nothing runs"])
    if volumes and not yes:
        context.confirm(f"Delete all data of the project {project.spec.project}?")
    with project.locks.whole(), context.progress("down") as progress:
        project.applier(progress.operation).apply(plan)
        project.runtime.teardown()
        removed = project.runtime.remove_volumes() if volumes else []
        project.last_up.forget()
    if volumes:
        project.wishes.clear()
        project.runtime.teardown()
    lines = ["the stack is down" if plan.operations else "nothing to do: nothing runs"]
    if removed:
        lines.append(f"deleted: {', '.join(removed)}")
    return Result("down", {"operations": [str(o) for o in plan.operations], "volumes": removed}, lines=lines)
