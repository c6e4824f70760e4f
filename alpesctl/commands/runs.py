"""`alpesctl runs`: the recorded runs with their verdicts."""

from __future__ import annotations

import typer

from alpesctl.commands.options import Json
from alpesctl.context import context_of
from alpesctl.result import Result, Table


def runs(ctx: typer.Context, json: Json = False) -> Result:
    """Show the recorded runs, newest first."""
    from alpesctl.experiments.record import list_records

    found = list_records(context_of(ctx).project.records)
    rows = [[r.directory.name, r.name, r.started, r.outcome] for r in found]
    return Result(
        "runs",
        {
            "runs": [
                {"run": r.directory.name, "scenario": r.name, "started": r.started, "outcome": r.outcome} for r in found
            ]
        },
        tables=[
            Table("Runs", ["run", "scenario", "started", "verdict"], rows, "none yet; alpesctl scenario performance")
        ],
    )
