"""`alpesctl runs`: the recorded runs with their verdicts."""

from __future__ import annotations

from typing import Annotated

import typer

from alpesctl.commands.options import Json
from alpesctl.context import context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result


def runs(
    ctx: typer.Context,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Only runs of this one.")] = None,
    last: Annotated[int, typer.Option("--last", help="At most so many.")] = 20,
    json: Json = False,
) -> Result:
    """Show the recorded runs, newest first, with what was lost or counted twice in each."""
    from alpesctl.experiments.record import list_records
    from alpesctl.report.overview import brief, table

    if last < 1:
        raise UsageError(f"--last {last}: at least 1", out="alpesctl runs --last 20")
    found = list_records(context_of(ctx).project.records)
    names = sorted({record.name for record in found})
    if scenario is not None and scenario not in names:
        raise UsageError(
            f"there is no run of {scenario!r}",
            why=f"runs are there of: {', '.join(names) or 'nothing'}",
            out="alpesctl runs",
        )
    wanted = [record for record in found if scenario in (None, record.name)]
    shown = [brief(record) for record in wanted[:last]]
    more = f"{len(wanted) - last} older ones: --last {len(wanted)}"
    return Result("runs", {"runs": shown}, tables=[table(shown)], notes=[more] if len(wanted) > last else [])
