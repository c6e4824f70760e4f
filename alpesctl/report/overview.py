"""Many runs in one table: a line each, with what matters first when one looks back. Made from records alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from alpesctl.experiments.record import Record
from alpesctl.result import Table


def brief(record: Record) -> dict[str, Any]:
    """What a run came to: `seconds` from its start to its end; None for what a run that was cut short lacks."""
    found = record.document.get("findings") or {}
    ended = record.document.get("ended")
    seconds = None
    if ended:
        seconds = round(
            (datetime.fromisoformat(str(ended)) - datetime.fromisoformat(record.started)).total_seconds(), 1
        )
    return {
        "run": record.directory.name,
        "scenario": record.name,
        "started": record.started,
        "seconds": seconds,
        **{name: found.get(name) for name in ("sent", "accepted", "counted")},
        "lost": found.get("lost_total"),
        "duplicated": found.get("duplicated_total"),
        "outcome": record.outcome,
    }


def table(briefs: Sequence[dict[str, Any]], title: str = "Runs") -> Table:
    """The runs as a person reads them, in this machine's own time."""
    rows = [
        [
            each["run"],
            f"{datetime.fromisoformat(each['started']).astimezone():%Y-%m-%d %H:%M:%S}",
            "" if each["seconds"] is None else f"{each['seconds']:.0f} s",
            *(_number(each[name]) for name in ("sent", "counted", "lost", "duplicated")),
            each["outcome"],
        ]
        for each in briefs
    ]
    columns = ["run", "started", "took", "sent", "counted", "lost", "twice", "verdict"]
    return Table(title, columns, rows, "none yet; alpesctl scenario performance")


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ""
