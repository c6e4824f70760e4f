"""The record as one self-contained page: no script, no address, opens offline. Made from the record alone.

Plots are hand-made SVG (see `svg`): a library's script would be a hundred times the size of its data.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from alpesctl.experiments.record import Record
from alpesctl.report import words
from alpesctl.report.style import CSS
from alpesctl.report.svg import Chart, Line, Mark, legend, render

NAMED = 50  # ids of one kind on the page
LABELLED = 6  # marks with a label; more would hide each other, and say what they are when pointed at


def render_html(record: Record) -> str:
    """The page's text (HTML 5, UTF-8)."""
    document = record.document
    title = f"{document['name']} · {words.HEADLINES.get(record.outcome, record.outcome)}"
    parts = [
        _head(document, record.outcome),
        _plots(document),
        _table("Thresholds", ("", "wanted", "measured", ""), words.checks(document), mark_last=True),
        _table("Latency", ("", *words.PERCENTILES), words.latencies(document)),
        _table("Three sources", ("", "holds"), words.sources(document)),
        _findings(document),
        _table(
            "Who counted",
            ("worker", "counted", "share", "received again", "already counted"),
            words.workers(document),
        ),
        _table("Faults", ("at", "what", ""), words.faults(document)),
        _table("Recovery", words.RECOVERY, words.recoveries(document)),
        _surroundings(document),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{CSS}</style></head>'
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _head(document: words.Document, outcome: str) -> str:
    reasons = document["verdict"]["reasons"]
    shown = [reason for reason in reasons if reason not in words.headline(document)]
    items = "".join(f"<li>{escape(reason)}</li>" for reason in shown)
    subtitle = escape(f"{document['started'][:19].replace('T', ' ')} UTC · {document['id']}")
    kicker = escape(document["title"] or document["name"])
    return (
        f'<header class="{escape(outcome)}"><p class="kicker">{kicker}</p>'
        f"<h1>{escape(words.headline(document))}</h1>"
        + (f"<ul>{items}</ul>" if items else "")
        + f'<p class="sub">{escape(words.load(document))}</p><p class="sub">{subtitle}</p></header>'
    )


def _plots(document: words.Document) -> str:
    series = document.get("series") or []
    if not series:
        return ""
    if len(series) > 1 and not series[-1]["sent"] and any(load["rate"] for load in document["scenario"]["loads"]):
        series = series[:-1]  # a part of a second: its figures would look like a collapse
    marks = [
        Mark(max(0.0, fault["t"]), f"{fault['action']} {fault['target']}", bool(fault["error"]))
        for fault in document.get("faults", [])
    ]

    labels = len(marks) <= LABELLED

    def line(name: str, key: str, style: str) -> Line:
        return Line(name, style, [(entry["t"] + 0.5, entry[key]) for entry in series])

    rates = [
        line("sent", "sent", "sent"),
        line("accepted", "accepted", "accepted"),
        line("counted", "counted", "counted"),
    ]
    for name, key in (("in doubt", "in_doubt"), ("refused", "refused")):
        if any(entry[key] for entry in series):
            rates.append(line(name, key, "bad"))
    latency = [line("max", "max", "worst"), line("p99", "p99", "accepted"), line("p50", "p50", "sent")]
    charts = [
        ("Rate", "events a second", Chart("Rate", rates, marks=marks, labels=labels)),
        (
            "Waiting",
            "accepted and not counted yet, at the end of each second",
            Chart("Waiting", [_waiting(series)], height=140, marks=marks, labels=False),
        ),
        (
            "Latency",
            "due → committed, by the second in which the event was due; logarithmic",
            Chart("Latency", latency, log=True, format=words.seconds, marks=marks, labels=labels),
        ),
    ]
    return "".join(
        f"<section><h2>{name} <small>{escape(what)}</small></h2>"
        f'<p class="legend">{legend(chart)}</p>{render(chart)}</section>'
        for name, what, chart in charts
    )


def _waiting(series: Sequence[Any]) -> Line:
    points: list[tuple[float, float | None]] = []
    waiting = 0
    for entry in series:
        waiting += entry["accepted"] - entry["counted"]
        points.append((entry["t"] + 1.0, max(0, waiting)))
    return Line("waiting", "counted", points, filled=True)


def _findings(document: words.Document) -> str:
    found = document.get("findings")
    if not found:
        return ""
    parts = []
    if found["lost"]["total"]:
        ids = [f"{item['id']}  {item['outcome']}, sent at {item['t']:.3f} s" for item in found["lost"]["named"]]
        parts.append(_ids("lost: must be counted, and has no row", ids, found["lost"]["total"]))
    if found["differences"]:
        rows = [
            (
                item["day"],
                item["status"],
                f"{item['difference']:+,}",
                "counted twice" if item["difference"] > 0 else "missing from the counter",
            )
            for item in found["differences"]
        ]
        parts.append(_table("", ("day", "status", "counter − rows", ""), rows))
    listed = words.lists(document)
    parts += [_ids(*item) for item in listed]
    notes = [
        (found["redelivered_total"], "delivered again by the broker, after a worker vanished or hung"),
        (found["published_twice"], "published more than once, and counted once"),
        (found["foreign_in_topic"], "messages in the topic that others published"),
        (found["foreign_in_log"], "keys in the access log that others sent"),
        (found["excused_in_log"], "not in the access log because its service was down"),
        (found["unsent"], "never sent"),
    ]
    parts += [f"<p>{total:,} {escape(text)}</p>" for total, text in notes if total]
    clean = not any((found["lost_total"], found["duplicated_total"], found["in_doubt"], found["refused"]))
    if clean and not listed:
        parts[:0] = ["<p>Nothing lost, nothing counted twice, nothing in doubt; the sources agree.</p>"]
    return "<section><h2>Findings</h2>" + "".join(parts) + "</section>"


def _ids(text: str, ids: Sequence[str], total: int) -> str:
    shown = "\n".join(escape(item) for item in ids[:NAMED])
    more = f"\n… {total - min(total, NAMED):,} more in the record" if total > NAMED else ""
    return f"<h3>{total:,} {escape(text)}</h3><pre>{shown}{more}</pre>"


def _surroundings(document: words.Document) -> str:
    machine = document.get("machine") or {}
    memory = machine.get("memory_bytes", 0) / 2**30
    rows = [(name, str(version)) for name, version in document.get("versions", {}).items()]
    if machine:
        processor = machine.get("processor") or machine.get("architecture", "")
        rows.append(("machine", f"{processor}, {machine['cores']} cores, {memory:.0f} GiB, {machine['system']}"))
    peaks = document.get("memory_bytes") or {}
    rows += [(f"memory of {name}, at most", f"{size / 2**20:,.0f} MiB") for name, size in peaks.items()]
    return _table("Versions and machine", ("", ""), rows)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, mark_last: bool = False) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f'<tr class="{escape(row[-1]) if mark_last else ""}">'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    heading = f"<h2>{escape(title)}</h2>" if title else ""
    table = f"<table>{f'<thead><tr>{head}</tr></thead>' if any(columns) else ''}<tbody>{body}</tbody></table>"
    return f"<section>{heading}{table}</section>" if title else table
