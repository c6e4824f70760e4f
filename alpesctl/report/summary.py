"""A record as a command's result: the tables for a person and the same figures as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alpesctl.experiments.record import Record
from alpesctl.report import words
from alpesctl.result import Result, Table

NAMED = 20  # ids shown to a person; the record has them all


def summary(record: Record) -> Result:
    """The run's result; its exit code is the verdict's."""
    document = record.document
    tables = [
        Table("Thresholds", ("", "wanted", "measured", ""), words.checks(document)),
        Table("Latency", ("", *words.PERCENTILES), words.latencies(document)),
        Table("Sources", ("", "holds"), words.sources(document)),
        Table(
            "Workers",
            ("worker", "counted", "share", "received again", "already counted"),
            words.workers(document),
        ),
        Table("Faults", ("at", "what", ""), words.faults(document)),
        Table("Recovery", words.RECOVERY, words.recoveries(document)),
    ]
    return Result(
        command="scenario",
        data=_data(record),
        lines=(words.headline(document), *_more(record)),
        tables=[table for table in tables if table.rows],
        notes=(f"record: {record.directory}",),
        exit_code=record.exit_code,
    )


def several(records: Sequence[Record]) -> Result:
    """Several runs side by side; the exit code is the worst verdict's: failed before void."""
    rows, recovered = [], []
    for record in records:
        document = record.document
        rows.append((document["name"], *words.figures(document)))
        recovered += [(document["name"], *row) for row in words.recoveries(document)]
    codes = [record.exit_code for record in records]
    return Result(
        command="scenario",
        data={"runs": [_data(record) for record in records]},
        lines=[f"{record.document['name']}: {words.headline(record.document)}" for record in records],
        tables=[
            Table("Runs", ("scenario", *words.FIGURES), rows),
            *([Table("Recovery", ("scenario", *words.RECOVERY), recovered)] if recovered else []),
        ],
        notes=[f"record: {record.directory}" for record in records],
        exit_code=min((code for code in codes if code), default=0),
    )


def _data(record: Record) -> dict[str, Any]:
    """The record without what only plots need."""
    kept = {key: value for key, value in record.document.items() if key not in ("series", "sampled", "histograms")}
    return {**kept, "record": str(record.directory)}


def _more(record: Record) -> list[str]:
    document = record.document
    lines = [reason for reason in document["verdict"]["reasons"] if reason not in words.headline(document)]
    if words.load(document):
        lines.append(words.load(document))
    found = document.get("findings")
    if not found:
        return lines
    lost = found["lost"]
    for item in lost["named"][:NAMED]:
        lines.append(f"lost: {item['id']} ({item['outcome']}, sent at {item['t']:.3f} s)")
    if lost["total"] > NAMED:
        lines.append(f"… and {lost['total'] - NAMED:,} more, all in the record")
    for item in found["differences"]:
        kind = "counted twice" if item["difference"] > 0 else "missing from the counter"
        lines.append(f"{kind}: {abs(item['difference']):,} on {item['day']}, {item['status']}")
    for text, ids, total in words.lists(document):
        lines.append(f"{text}: {total:,} ({', '.join(ids[:3])}{', …' if total > 3 else ''})")
    if found["foreign_in_topic"]:
        lines.append(f"others published {found['foreign_in_topic']:,} messages during the run")
    if found["foreign_in_log"]:
        lines.append(f"others sent {found['foreign_in_log']:,} keys that the access log shows")
    return lines
