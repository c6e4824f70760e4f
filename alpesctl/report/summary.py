"""A record as a command's result: the tables for a person and the same figures as JSON."""

from __future__ import annotations

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
    ]
    heavy = ("series", "sampled", "histograms")
    return Result(
        command="scenario",
        data={
            **{key: value for key, value in document.items() if key not in heavy},
            "record": str(record.directory),
        },
        lines=(words.headline(document), *_more(record)),
        tables=[table for table in tables if table.rows],
        notes=(f"record: {record.directory}",),
        exit_code=record.exit_code,
    )


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
