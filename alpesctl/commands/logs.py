"""`alpesctl logs`: the lines of one, several or all services."""

from __future__ import annotations

from typing import Annotated

import typer

from alpesctl.commands.options import Json, Services
from alpesctl.context import context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result


def logs(
    ctx: typer.Context,
    services: Services = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", "-n", min=0, help="Only the last lines.")] = None,
    no_prefix: Annotated[bool, typer.Option("--no-log-prefix", help="Lines as the program wrote them.")] = False,
    json: Json = False,
) -> Result:
    """Show log lines, each with the replica that wrote it."""
    from alpesctl.reconcile.plan import require_service

    context = context_of(ctx)
    project = context.project
    for name in services or []:
        require_service(project.spec, name)
    if json and follow:
        raise UsageError("--json and --follow exclude each other", why="a document has an end", out="leave one out")
    lines = project.runtime.logs(services or [], tail=tail, follow=follow)
    if json:
        found = [
            {"replica": line.replica, "at": line.at.isoformat() if line.at else None, "text": line.text}
            for line in lines
        ]
        return Result("logs", {"lines": found})
    for line in lines:
        context.stream(line.text if no_prefix else f"{line.replica} | {line.text}")
    return Result("logs", {})
