"""`alpesctl scale`: how many replicas a service has, now and at the next `up`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alpesctl.commands.options import DryRun, Json, assignments
from alpesctl.context import Context, context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result

if TYPE_CHECKING:
    from alpesctl.project import Project
    from alpesctl.reconcile.plan import Plan
    from alpesctl.stack.model import Spec


def scale(
    ctx: typer.Context,
    counts: Annotated[list[str], typer.Argument(metavar="SERVICE=N…", help="e.g. tracking_worker=6")],
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Set the number of replicas. The wish survives the next `up`; what is dropped drains first."""
    context = context_of(ctx)
    wished = assignments(counts, "SERVICE=N", "alpesctl scale tracking_worker=6")
    for name, count in wished.items():
        _check(context.project.spec, name, count)
    return set_replicas(context, wished, dry_run=dry_run)


def _check(spec: Spec, name: str, count: int) -> None:
    from alpesctl.reconcile.plan import require_count, require_service

    service = require_service(spec, name)
    if service.one_shot:
        raise UsageError(
            f"{name} runs once and ends", why="what others await is its end", out="scale a service that stays up"
        )
    require_count(name, count)
    for port in service.ports:
        room = port.host_last - port.host_first + 1
        if count > room:
            ports = f"{port.host_first} to {port.host_last}" if room > 1 else f"{port.host_first}"
            raise UsageError(
                f"{name}={count}: it publishes {room} port{'s' if room > 1 else ''}, one a replica",
                why=f"{ports} in the compose file",
                out=f"{name}={room} is the most; a wider range of ports there gives room",
            )


def set_replicas(context: Context, wished: dict[str, int], *, dry_run: bool = False) -> Result:
    """Apply the counts to a running stack; the wish is kept once it is carried out."""
    from alpesctl.locks import BESIDE
    from alpesctl.reconcile.plan import with_dependencies

    project = context.project
    if dry_run:
        return _result(wished, plan := _plan(project, wished, beside=project.locks.running()), _shown(plan))
    with project.locks.change() as beside, context.progress("scale") as progress:
        project.runtime.prepare(project.spec, with_dependencies(project.spec, wished), progress.step)
        plan = _plan(project, wished, beside=beside)
        project.applier(progress.operation).apply(plan)
        project.wishes.wish(replicas=wished)
    notes = [BESIDE] if beside else []
    return _result(wished, plan, [f"{name}: {count} replicas" for name, count in wished.items()], notes)


def _plan(project: Project, wished: dict[str, int], *, beside: bool) -> Plan:
    from dataclasses import replace

    from alpesctl.reconcile.plan import beside_a_run, plan_up

    desired = project.desired(list(wished))
    plan = plan_up(replace(desired, counts={**desired.counts, **wished}), project.observe())
    return beside_a_run(plan, wished) if beside else plan


def _shown(plan: Plan) -> list[str]:
    return str(plan).splitlines() or ["nothing to do"]


def _result(wished: dict[str, int], plan: Plan, lines: list[str], notes: list[str] | None = None) -> Result:
    data = {"replicas": wished, "operations": [str(operation) for operation in plan.operations]}
    return Result("scale", data, lines=lines, notes=notes or [])
