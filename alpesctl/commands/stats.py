"""`alpesctl stats`: what the services counted, and what still waits; once, or again and again with rates."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpesctl.commands.options import Json
from alpesctl.context import Context, context_of
from alpesctl.errors import UsageError
from alpesctl.money import in_words
from alpesctl.result import Result, Table, plain

if TYPE_CHECKING:
    from alpesctl.statistics import Counted, Rates, Reading

_LAST_RUNS = 3
_WATCHED_ROWS = 7  # of a source's table while one watches
_WATCH_PATIENCE = 2.0  # seconds for one answer: what is away must not hold up the rest


def stats(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again and again, with rates, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option("--interval", help="Seconds between two looks.")] = 2.0,
    json: Json = False,
) -> Result:
    """Show the services' own statistics, read where a user of theirs would read them.

    What does not answer is named, and stands under `away` in the JSON; the exit code is 3 only where nothing answers.
    """
    from alpesctl.experiments.record import list_records
    from alpesctl.report.overview import brief, table
    from alpesctl.statistics import read

    context = context_of(ctx)
    if not 0.2 <= interval <= 3600:
        raise UsageError(
            f"--interval {interval:g}: between 0.2 and 3600 seconds", out="alpesctl stats --watch --interval 2"
        )
    if watch:
        return _watch(context, interval, as_json=json)
    project = context.project
    reading = read(project)
    reading.require_an_answer()
    result = _result(reading, None)
    runs = [brief(record) for record in list_records(project.records, _LAST_RUNS)]
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
        before.require_an_answer()
        with context.open_live(f"every {interval:g} s, Ctrl-C ends it") as show:
            after = before
            while True:
                result = _result(after, rates(before, after))
                if as_json:
                    context.stream_document(result)
                elif show is not None:
                    show(_screen(result, after))
                else:
                    context.stream(_line(after, rates(before, after)))
                before = after
                time.sleep(interval)
                after = read(context.project, patience=_WATCH_PATIENCE)
    except KeyboardInterrupt:  # how one ends to watch
        return Result("stats", {}, exit_code=130)


def _result(reading: Reading, rates: Rates | None) -> Result:
    """The statistics as tables; with rates where there are two readings."""
    from alpesctl.statistics import WAITING

    tables = [_counted(each, rates.counted.get(each.source.title) if rates else None) for each in reading.counted]
    topics = []
    for waits in reading.waiting or ():
        moved = rates.backlog.get((waits.topic, waits.subscription)) if rates else None
        topics.append({**plain(waits), **({"backlog_per_second": round(moved, 1)} if moved is not None else {})})
    columns = ["topic", "subscription", "backlog", *(["trend"] if rates else []), "consumers"]
    rows = [
        [t["topic"], t["subscription"], f"{t['backlog']:,}", *([_trend(t)] if rates else []), str(t["consumers"])]
        for t in topics
    ]
    if reading.waiting is not None:
        tables.append(Table(WAITING, columns, rows, "no subscription is there yet"))
    tables += [Table(each.title, [], [], "not known") for each in reading.away]
    data: dict[str, Any] = {
        "statistics": [
            {"title": each.source.title, "items": list(each.items), "url": each.url, "next_url": each.next_url or None}
            for each in reading.counted
        ],
        "topics": topics,
        "away": _away(reading),
    }
    if rates:
        data |= {
            "at": datetime.now().astimezone().isoformat(timespec="milliseconds"),
            "counted_per_second": {title: round(speed, 1) for title, speed in rates.counted.items()},
        }
    ways_out = {each.what: f"! {each.what}{f' ({each.why})' if each.why else ''}: {each.out}" for each in reading.away}
    return Result("stats", data, tables=tables, lines=list(ways_out.values()), notes=_elsewhere(reading))


def _screen(result: Result, reading: Reading) -> Result:
    """The same for a screen, which cuts off what does not fit: what an operator looks for first, and short tables."""
    ways_out = {each.what: each.out for each in reading.away}
    away = [Table("Away", ["what", "what to do"], [[what, out] for what, out in ways_out.items()])] if ways_out else []
    sources = len(reading.counted)
    waits = result.tables[sources : sources + (reading.waiting is not None)]
    return replace(result, tables=[*away, *waits, *map(_cut, result.tables[:sources])], lines=())


def _cut(table: Table) -> Table:
    if len(table.rows) <= _WATCHED_ROWS:
        return table
    more = f"… {len(table.rows) - _WATCHED_ROWS} more"
    return replace(table, rows=[*table.rows[:_WATCHED_ROWS], [more, *[""] * (len(table.columns) - 1)]])


def _counted(each: Counted, speed: float | None) -> Table:
    """One source's table, as long as the source wants it."""
    title = each.source.title
    if each.items and each.total is not None:
        title += f": {each.total:,} counted" + (f", {speed:+,.0f}/s" if speed is not None else "")
    columns = each.source.columns
    rows = [
        [_money(item.get(column)) if column == each.source.money else _shown(item.get(column)) for column in columns]
        for item in each.first()
    ]
    return Table(title, list(columns), rows, "nothing counted yet")


def _elsewhere(reading: Reading) -> list[str]:
    """What the tables leave out, and where it can be read."""
    notes = []
    for each in reading.counted:
        if len(each.first()) < len(each.items):
            what = f"the first {each.source.shown} by {each.source.columns[0]}; all: curl -s '{each.url}'"
            notes.append(f"{each.source.title}: {what}")
        if each.next_url:
            notes.append(f"{each.source.title}: the first page; more, if any: curl -s '{each.next_url}'")
    return notes


def _away(reading: Reading) -> list[str]:
    """What did not answer, each once."""
    return list(dict.fromkeys(each.what for each in reading.away))


def _trend(topic: dict[str, Any]) -> str:
    moved = topic.get("backlog_per_second")
    if moved is None:
        return ""
    return "steady" if abs(moved) < 1 else f"{'growing' if moved > 0 else 'falling'} {moved:+,.0f}/s"


def _line(reading: Reading, rates: Rates) -> str:
    """One look in one line, for what isn't a terminal."""
    parts = [f"{datetime.now():%H:%M:%S}"]
    for each in reading.counted:
        if each.total is not None:
            parts.append(f"{each.source.title}: {each.total:,} ({rates.counted.get(each.source.title, 0.0):+,.0f}/s)")
    for waits in reading.waiting or ():
        moved = rates.backlog.get((waits.topic, waits.subscription), 0.0)
        parts.append(f"{waits.subscription}: backlog {waits.backlog:,} ({moved:+,.0f}/s), {waits.consumers} consumers")
    parts += [f"away: {words}" for words in _away(reading)]
    return " · ".join(parts)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)


def _money(value: object) -> str:
    """Sums in minor units by currency."""
    return ", ".join(in_words(minor, unit) for unit, minor in value.items()) if isinstance(value, dict) else ""
