"""Turns a record's figures into words and table rows, for every kind of report. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

HEADLINES = {
    "passed": "Passed",
    "failed": "Failed",
    "void": "Void",
    "interrupted": "Interrupted",
    "aborted": "Aborted",
    "unfinished": "Unfinished",
}
LATENCIES = {"committed": "due → committed", "answered": "due → answered"}
PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")
FIGURES = ("outcome", "sent", "accepted", "refused", "in doubt", "counted", "lost", "twice", "p99")
RECOVERY = ("fault", "at", "lasted", "well again after", "disturbed", "of them")
LISTS = {
    "not_counted_yet": "not counted yet: the run ended before everything had settled",
    "duplicated": "more than one row for the same id",
    "counted_otherwise": "counted as ok and must be rejected, or the other way round",
    "refused_counted": "refused, yet published or counted",
    "in_doubt_counted": "in doubt, and counted once",
    "in_doubt_not_counted": "in doubt, and not counted",
    "not_in_topic": "accepted or counted, not in the topic",
    "not_in_log": "accepted, not in the access log",
    "log_disagrees": "accepted, the access log says otherwise",
}


def seconds(value: float | None) -> str:
    """A duration in the unit that suits it."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 100 else f"{value:.0f} s"


def number(value: float | None, unit: str = "") -> str:
    """A figure with its unit: s, %, /min, /s or none."""
    if value is None:
        return "–"
    if unit == "s":
        return seconds(value)
    text = f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:,.2f}"
    return f"{text} %" if unit == "%" else f"{text}{unit}"


def headline(document: Document) -> str:
    """The verdict in one sentence."""
    verdict = document["verdict"]
    word = HEADLINES.get(verdict["outcome"], verdict["outcome"])
    found = document.get("findings")
    if verdict["outcome"] == "passed" and found:
        if found["lost_total"] or found["duplicated_total"]:
            return f"{word}: within its thresholds"
        load = document["load"]
        figures = f"{load['accepted']:,} of {load['events']:,} accepted, {load['counted']:,} counted"
        return f"{word}: {figures}, none lost, none counted twice"
    reasons = verdict["reasons"]
    return f"{word}: {reasons[0]}" if reasons else word


def checks(document: Document) -> list[tuple[str, str, str, str]]:
    """Threshold, wanted, measured, whether it is met."""
    rows = []
    for check in document["verdict"].get("checks", []):
        bound = "≥" if check["at_least"] else "≤"
        wanted = f"{bound} {number(check['limit'], check['unit'])}"
        measured = number(check["measured"], check["unit"])
        rows.append((check["name"], wanted, measured, "met" if check["met"] else "missed"))
    return rows


def latencies(document: Document) -> list[tuple[str, ...]]:
    """Name, then p50 to max."""
    measures = document.get("measures", {})
    return [
        (name, *(seconds(measures[key].get(p)) for p in PERCENTILES))
        for key, name in LATENCIES.items()
        if measures.get(key)
    ]


def figures(document: Document) -> tuple[str, ...]:
    """The run in one row, by FIGURES; a run that was not carried through has but its outcome."""
    found, outcome = document.get("findings"), document["verdict"]["outcome"]
    if not found:
        return (outcome, *[""] * (len(FIGURES) - 1))
    names = ("sent", "accepted", "refused", "in_doubt", "counted", "lost_total", "duplicated_total")
    p99 = document["measures"]["committed"].get("p99")
    return (outcome, *(f"{found[name]:,}" for name in names), seconds(p99))


def recoveries(document: Document) -> list[tuple[str, ...]]:
    """Fault, when it hit, when it was lifted and when all was well again after that, events that it disturbed."""
    rows: list[tuple[str, ...]] = []
    for each in document.get("recoveries", []):
        left = f"{each['in_doubt']:,} in doubt, {each['refused']:,} refused"
        again = "not before the next" if each["recovered"] is None else seconds(each["after_lift"])
        down = seconds(each["lifted"])
        rows.append((each["fault"], f"{each['at']:.1f} s", down, again, f"{each['disturbed']:,}", left))
    return rows


def sources(document: Document) -> list[tuple[str, str]]:
    """What each of the sources held."""
    held = document.get("sources")
    if not held:
        return []
    rows = [
        ("ledger", f"{held['ledger']['sent']:,} sent, {document['findings']['accepted']:,} accepted"),
        ("rows", f"{held['rows']['ids']:,} ids; {_moved(held['rows']['moved'])}"),
        ("counters", _moved(held["counters"]["moved"])),
    ]
    if held["topic"]:
        topic = held["topic"]
        read = f"{topic['messages']:,} messages, {topic['ids']:,} ids, re-read in {topic['seconds']:.1f} s"
        rows.append(("topic", read))
    if held["access_log"]:
        log = held["access_log"]
        retried = document["findings"]["retried"]
        rows.append(("access log", f"{log['requests']:,} requests; {retried:,} sent to a second upstream"))
    return rows


def _moved(days: list[Mapping[str, Any]]) -> str:
    return ", ".join(f"{d['number']:+,} {d['status']} on {d['day']}" for d in days) or "did not move"


def workers(document: Document) -> list[tuple[str, str, str, str, str]]:
    """Worker, counted, its share, received again, already counted."""
    found = document.get("findings")
    if not found:
        return []
    total = sum(found["workers"].values()) or 1
    rows = []
    for name in sorted({*found["workers"], *found["redelivered"]}):
        counted = found["workers"].get(name, 0)
        again = found["redelivered"].get(name, {"messages": 0, "already_counted": 0})
        figures = (f"{counted:,}", f"{100 * counted / total:.1f} %")
        rows.append((name, *figures, f"{again['messages']:,}", f"{again['already_counted']:,}"))
    return rows


def lists(document: Document) -> list[tuple[str, list[str], int]]:
    """The findings that are named by id: what they are, ids, how many there are in all."""
    found = document.get("findings") or {}
    listed = [(text, found[key]) for key, text in LISTS.items() if key in found]  # an older record has fewer
    return [(text, ids["named"], ids["total"]) for text, ids in listed if ids["total"]]


def faults(document: Document) -> list[tuple[str, str, str]]:
    """When, what, and whether it happened."""
    return [
        (f"{f['t']:.1f} s", f"{f['action']} {f['target']}", f["error"] or f"done in {seconds(f['seconds'])}")
        for f in document.get("faults", [])
    ]


def load(document: Document) -> str:
    """What was sent, in one sentence."""
    sent = document.get("load")
    if not sent:
        return ""
    text = f"{sent['events']:,} events sent in {sent['span_seconds']:.1f} s"
    if sent["warmup_events"]:
        text += f", after {sent['warmup_events']:,} to warm up (reconciled too)"
    if sent["late"] is not None:
        text += f"; {sent['late']:,} over 0.5 s late, the latest by {seconds(sent['worst_delay_seconds'])}"
    if sent["details"]:
        text += "; other answers: " + ", ".join(f"{n:,} × {what}" for what, n in sent["details"].items())
    return text
