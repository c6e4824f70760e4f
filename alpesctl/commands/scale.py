"""`alpesctl scale`: how many replicas a service has, now and at the next `up`."""

from __future__ import annotations

from typing import Annotated

import typer

from alpesctl.commands.options import DryRun, Json
from alpesctl.context import Context, context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result


def scale(
    ctx: typer.Context,
    counts: Annotated[list[str], typer.Argument(metavar="SERVICE=N…", help="e.g. tracking_worker=6")],
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Set the number of replicas. The wish survives the next `up`; what is dropped drains first."""
    context = context_of(ctx)
    wished = dict(_count(context, text) for text in counts)
    return set_replicas(context, wished, dry_run=dry_run)


def _count(context: Context, text: str) -> tuple[str, int]:
    from alpesctl.reconcile.plan import require_count, require_service

    name, _, number = text.partition("=")
    try:
        count = int(number)
    except ValueError:
        raise UsageError(f"{text!r} is not SERVICE=N", out="alpesctl scale tracking_worker=6") from None
    service = require_service(context.project.spec, name)
    if service.one_shot:
        raise UsageError(f"{name} runs once and ends", out="scale a service that stays up")
    require_count(name, count)
    for port in service.ports:
        room = port.host_last - port.host_first + 1
        if count > room:
            raise UsageError(
                f"{name}={count}: it publishes {room} port{'s' if room > 1 else ''}, one a replica",
                why=f"{port.host_first} to {port.host_last} in the compose file",
                out="give it a wider range of ports there",
            )
    return name, count


def set_replicas(context: Context, wished: dict[str, int], *, dry_run: bool = False) -> Result:
    """Apply the counts to a running stack; the wish is kept once it is carried out."""
    from dataclasses import replace

    from alpesctl.reconcile.plan import plan_up

    project = context.project
    desired = project.desired(list(wished))
    desired = replace(desired, counts={**desired.counts, **wished})
    plan = plan_up(desired, project.observe())
    data = {"replicas": wished, "operations": [str(operation) for operation in plan.operations]}
    if dry_run:
        return Result("scale", data, lines=str(plan).splitlines() or ["nothing to do"])
    with project.lock(), context.progress("scale") as progress:
        project.runtime.prepare(project.spec)
        project.applier(progress.operation).apply(plan)
    project.wishes.wish(wished)
    return Result("scale", data, lines=[f"{name}: {count} replicas" for name, count in wished.items()])
