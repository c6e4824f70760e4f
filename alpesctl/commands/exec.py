"""`alpesctl exec`: a command in a replica's container, or beside its process in the same environment."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from alpesctl.commands.options import Json
from alpesctl.context import context_of
from alpesctl.result import Result

_TIMEOUT = 3600.0  # seconds, where the output is collected into a document


def exec_(
    ctx: typer.Context,
    service: Annotated[str, typer.Argument(help="The service.")],
    command: Annotated[list[str], typer.Argument(help="The command; after -- where it has options of its own.")],
    index: Annotated[int, typer.Option("--index", min=1, help="Which replica.")] = 1,
    no_tty: Annotated[bool, typer.Option("--no-tty", "-T", help="No terminal for the command.")] = False,
    json: Json = False,
) -> Result:
    """Run a command where the service runs. Its input, output and exit code are passed on."""
    from alpesctl.reconcile.plan import require_service

    project = context_of(ctx).project
    require_service(project.spec, service)
    if json:
        done = project.runtime.exec(service, index, command, timeout=_TIMEOUT)
        data = {"exit_code": done.exit_code, "stdout": done.stdout, "stderr": done.stderr}
        return Result("exec", data, exit_code=done.exit_code)
    terminal = not no_tty and sys.stdin.isatty() and sys.stdout.isatty()
    return Result("exec", {}, exit_code=project.runtime.attach(service, index, command, terminal=terminal))
