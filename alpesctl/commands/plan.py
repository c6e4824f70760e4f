"""`alpesctl plan`: what `up` would do, and why. Changes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from alpesctl.commands.options import Json, Services
from alpesctl.context import Context, context_of
from alpesctl.result import Result


def plan(
    ctx: typer.Context,
    services: Services = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if something would change.")] = False,
    json: Json = False,
) -> Result:
    """Show what `up` would do, each step with its cause."""
    return show_plan(context_of(ctx), services or [], check=check)


def show_plan(context: Context, services: list[str], *, remove_orphans: bool = False, check: bool = False) -> Result:
    """The plan as a result; the exit code is 1 where `check` is asked for and something would change."""
    from alpesctl.reconcile.plan import plan_up

    project = context.project
    made = plan_up(project.desired(services, remove_orphans=remove_orphans), project.observe())
    return Result(
        command="plan",
        data={"operations": [str(operation) for operation in made.operations], "orphans": list(made.orphans)},
        lines=str(made).splitlines() or ["nothing to do: the stack is as it should be"],
        notes=made.notes,
        exit_code=1 if check and made.operations else 0,
    )
