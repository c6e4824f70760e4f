"""`alpesctl stats`: what the services counted, and what still waits; once, or again and again with rates."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpesctl.commands.options import Json
from alpesctl.context import Context, context_of
from alpesctl.errors import StackDownError, UsageError
from alpesctl.result import Result, Table, plain

if TYPE_CHECKING:
    from alpesctl.statistics import Rates, Reading

_LAST_RUNS = 3
_WATCH_PATIENCE = 2.0  # seconds for one answer: what is away must not hold up the rest


def stats(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again and again, with rates, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option("--interval", help="Seconds between two looks.")] = 2.0,
    json: Json = False,
) -> Result:
    """Show the services' own statistics, read where a user of theirs would read them."""
    from alpesctl.experiments.record import list_records
    from alpesctl.report.overview import brief, table
    from alpesctl.statistics import Reading, count, sources, waiting

    context = context_of(ctx)
    if not 0.2 <= interval <= 3600:
        raise UsageError(
            f"--interval {interval:g}: between 0.2 and 3600 seconds", out="alpesctl stats --watch --interval 2"
        )
    if watch:
        return _watch(context, interval, as_json=json)
    project = context.project
    counted = [count(project, source) for source in sources(project)]
    try:
        reading = Reading(0.0, counted, waiting(project))
    except StackDownError as error:  # what was counted is worth telling all the same
        reading = Reading(0.0, counted, (), (error.what,))
    result = _result(reading, None)
    runs = [brief(record) for record in list_records(project.records)[:_LAST_RUNS]]
    return replace(
        result,
        data={**result.data, "runs": runs},
        tables=[*result.tables, *([table(runs, "Last runs")] if runs else [])],
    )


def _watch(context: Context, interval: float, *, as_json: bool) -> Result:
    """Goes on while parts of the stack are away, and says which; ends at Ctrl-C."""
    from alpesctl.statistics import rates, read

    try:
        before = read(context.project, patience=_WATCH_PATIENCE)
        if not before.counted and not before.waiting:
            raise StackDownError("nothing of the stack answers", why="; ".join(before.away), out="alpesctl up")
        with context.open_live(f"every {interval:g} s, Ctrl-C ends it") as show:
            after = before
            while True:
                result = _result(after, rates(before, after))
                if as_json:
                    context.stream_document(result)
                elif show is not None:
                    show(result)
                else:
                    context.stream(_line(after, rates(before, after)))
                before = after
                time.sleep(interval)
                after = read(context.project, patience=_WATCH_PATIENCE)
    except KeyboardInterrupt:  # how one ends to watch
        return Result("stats", {}, exit_code=130)


def _result(reading: Reading, rates: Rates | None) -> Result:
    """The statistics as tables; with rates where there are two readings."""
    found, tables, topics = [], [], []
    for each in reading.counted:
        speed = rates.counted.get(each.source.title) if rates else None
        found.append({"title": each.source.title, "items": list(each.items)})
        title = each.source.title + (f": {each.total:,} counted, {speed:+,.0f}/s" if speed is not None else "")
        rows = [[_shown(item.get(column, "")) for column in each.source.columns] for item in each.items]
        tables.append(Table(title, list(each.source.columns), rows, "nothing counted yet"))
    for waits in reading.waiting:
        moved = rates.backlog.get((waits.topic, waits.subscription)) if rates else None
        topics.append({**plain(waits), **({"backlog_per_second": round(moved, 1)} if moved is not None else {})})
    columns = ["topic", "subscription", "backlog", *(["trend"] if rates else []), "consumers"]
    rows = [
        [t["topic"], t["subscription"], f"{t['backlog']:,}", *([_trend(t)] if rates else []), str(t["consumers"])]
        for t in topics
    ]
    tables.append(Table("Waiting in the topics", columns, rows, "the broker does not answer" if reading.away else ""))
    data: dict[str, Any] = {"statistics": found, "topics": topics}
    if rates:
        data |= {
            "at": datetime.now().astimezone().isoformat(timespec="milliseconds"),
            "counted_per_second": {title: round(speed, 1) for title, speed in rates.counted.items()},
            "away": list(reading.away),
        }
    return Result("stats", data, tables=tables, lines=[f"! away: {words}" for words in reading.away])


def _trend(topic: dict[str, Any]) -> str:
    moved = topic.get("backlog_per_second")
    if moved is None:
        return ""
    return "steady" if abs(moved) < 1 else f"{'growing' if moved > 0 else 'falling'} {moved:+,.0f}/s"


def _line(reading: Reading, rates: Rates) -> str:
    """One look in one line, for what isn't a terminal."""
    parts = [f"{datetime.now():%H:%M:%S}"]
    for each in reading.counted:
        parts.append(f"{each.source.title}: {each.total:,} ({rates.counted.get(each.source.title, 0.0):+,.0f}/s)")
    for waits in reading.waiting:
        moved = rates.backlog.get((waits.topic, waits.subscription), 0.0)
        parts.append(f"{waits.subscription}: backlog {waits.backlog:,} ({moved:+,.0f}/s), {waits.consumers} consumers")
    parts += [f"away: {words}" for words in reading.away]
    return " · ".join(parts)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)
