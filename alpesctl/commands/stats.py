"""`alpesctl stats`: what the services counted, and what still waits."""

from __future__ import annotations

import typer

from alpesctl.commands.options import Json
from alpesctl.context import context_of
from alpesctl.errors import StackDownError
from alpesctl.result import Result, Table


def stats(ctx: typer.Context, json: Json = False) -> Result:
    """Show the services' own statistics, read where a user of theirs would read them."""
    from alpesctl.commands.status import waiting

    project = context_of(ctx).project
    tables, found = [], []
    for source in project.spec.stats:
        items = _read(ctx, source.url)
        found.append({"title": source.title, "items": items})
        rows = [[_shown(item.get(column, "")) for column in source.columns] for item in items]
        tables.append(Table(source.title, list(source.columns), rows, "nothing counted yet"))
    topics = waiting(ctx)
    tables.append(
        Table(
            "Waiting in the topics",
            ["topic", "subscription", "backlog", "consumers"],
            [[str(t[key]) for key in ("topic", "subscription", "backlog", "consumers")] for t in topics],
        )
    )
    return Result("stats", {"statistics": found, "topics": topics}, tables=tables)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _read(ctx: typer.Context, url: str) -> list[dict[str, object]]:
    import json
    import urllib.request
    from http.client import HTTPException

    from alpesctl.runtimes.addresses import resolve

    project = context_of(ctx).project
    here = resolve(project.runtime, project.spec, url)
    try:
        with urllib.request.urlopen(here, timeout=10) as answer:
            return list(json.loads(answer.read())["items"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise StackDownError(f"{here} does not answer", why=str(error), out="alpesctl status; alpesctl up") from error
