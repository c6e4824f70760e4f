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
    remove_orphans: Annotated[
        bool, typer.Option("--remove-orphans", help="With what is no longer in the compose file removed.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if something would change.")] = False,
    as_shell: Annotated[
        bool, typer.Option("--as-shell", help="As docker, supervisorctl and pulsar-admin commands, in order.")
    ] = False,
    json: Json = False,
) -> Result:
    """Show what `up` would do, each step with its cause."""
    context = context_of(ctx)
    return show_plan(context, services or [], remove_orphans=remove_orphans, check=check, shell=as_shell)


def show_plan(
    context: Context,
    services: list[str],
    *,
    command: str = "plan",
    remove_orphans: bool = False,
    check: bool = False,
    shell: bool = False,
) -> Result:
    """The plan as a result; the exit code is 1 where `check` is asked for and something would change."""
    from alpesctl.reconcile.plan import plan_up
    from alpesctl.reconcile.shell import as_shell

    project = context.project
    desired = project.desired(services, remove_orphans=remove_orphans)
    made = plan_up(desired, project.observe())
    script = as_shell(made, project.spec, desired.counts, project.runtime) if shell else None
    lines = str(made).splitlines() if script is None else script
    return Result(
        command=command,
        data={
            "operations": [str(operation) for operation in made.operations],
            "changes": len(made.changes),
            "orphans": list(made.orphans),
            **({"shell": script} if script is not None else {}),
        },
        lines=lines or [f"{'# ' if shell else ''}nothing to do: the stack is as it should be"],
        notes=made.notes,
        exit_code=1 if check and made.changes else 0,
    )
