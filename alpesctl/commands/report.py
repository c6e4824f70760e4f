"""`alpesctl report`: a page of a recorded run that opens offline."""

from __future__ import annotations

from typing import Annotated

import typer

from alpesctl.commands.options import Json
from alpesctl.context import context_of
from alpesctl.result import Result


def report(
    ctx: typer.Context,
    runs: Annotated[list[str] | None, typer.Argument(help="Runs, by id or its beginning; the newest.")] = None,
    last: Annotated[int, typer.Option("--last", min=1, max=100, help="The newest so many runs.")] = 1,
    json: Json = False,
) -> Result:
    """Write report.html beside the record of one run or several, and say where."""
    from alpesctl.atomic import write_text
    from alpesctl.experiments.record import find_record, list_records
    from alpesctl.report.html import render_html

    root = context_of(ctx).project.records
    records = [find_record(root, run) for run in runs] if runs else list_records(root, last)
    if not records:
        records = [find_record(root)]
    written = []
    for record in records:
        path = record.directory / "report.html"
        write_text(path, render_html(record))
        written.append({"run": record.directory.name, "outcome": record.outcome, "path": str(path)})
    return Result(
        "report",
        {"reports": written},
        lines=[f"{entry['outcome']}: {entry['path']}" for entry in written],
    )
