"""The page is made from a record alone, opens offline, and says what the verdict says."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alpesctl.experiments import document, record
from alpesctl.experiments.evidence import LogEntry, Row, Snapshot, TopicRead
from alpesctl.experiments.faults import FaultEvent
from alpesctl.experiments.ledger import Ledger, Outcome
from alpesctl.experiments.model import Event, Fault, Load, Readback, Scenario, Step, Thresholds
from alpesctl.experiments.proof import Evidence
from alpesctl.experiments.settled import Settled
from alpesctl.report.html import render_html
from alpesctl.report.summary import summary

DAY = ("2026-11-24", "ok")
COUNT = 300
START = 1_795_519_669.0
SCENARIO = Scenario(
    name="small",
    title="A small <run>",
    loads=(Load("pulsar", "open", "t", 100.0, COUNT, (Event({"id": "{id}"}),)),),
    readback=Readback("postgresql://app:secret@db:5432/app", "t", "s", "rows", "tally", "counters"),
    faults=(Fault(1.0, (Step("kill", "w", restart_after=1.0),)),),
    thresholds=Thresholds(accepted_percent=100.0, latency_p99=2.0),
)
MACHINE = {"system": "Linux", "architecture": "x86_64", "processor": "CPU", "cores": 2, "memory_bytes": 2**33}
FAULTS = (
    FaultEvent(START + 1.0, START + 1.1, "kill", "w-1"),
    FaultEvent(START + 2.0, START + 2.1, "restart", "w-1"),
)


def made(
    tmp_path: Path,
    lost: frozenset[int] = frozenset(),
    extra: int = 0,
    scenario: Scenario = SCENARIO,
    unsettled: str = "",
    log: dict[bytes, list[LogEntry]] | None = None,
) -> tuple[record.Record, Ledger]:
    ledger = Ledger(COUNT)
    for i in range(COUNT):
        at = START + i / 100
        ledger.send(i, at, at)
        ledger.answer(i, Outcome.ACCEPTED, at + 0.01)
    rows = [Row(ledger.id(i), START + i / 100 + 0.02, "w-1") for i in range(COUNT) if i not in lost]
    evidence = Evidence(
        ledger=ledger,
        rows=rows,
        before=Snapshot({}, {}),
        after=Snapshot({DAY: len(rows) + extra}, {DAY: len(rows)}, {"w-1": (3, 2)}),
        topic=TopicRead({ledger.id(i): 1 for i in range(COUNT)}, COUNT, 0, 0.2),
        settled=not unsettled,
        log=log,
        excused=lambda _: True,
    )
    about = document.About(scenario, "20261124-small", datetime(2026, 11, 24, tzinfo=UTC), MACHINE, start=START)
    carried = document.Carried(evidence, Settled(0.5, unsettled), FAULTS, (), {"w-1": 90 * 2**20})
    directory = record.new_directory(tmp_path, "small", about.started)
    record.write_events(directory, ledger, rows)
    return record.write(directory, document.finished(about, carried)), ledger


def test_a_passed_run(tmp_path: Path) -> None:
    run, _ = made(tmp_path)
    page = render_html(run)
    assert run.outcome == "passed"
    assert "Passed: 300 of 300 accepted, 300 counted, none lost, none counted twice" in page
    assert page.count("<svg") == 3
    assert "kill w-1" in page
    assert "A small &lt;run&gt;" in page


def test_it_opens_offline(tmp_path: Path) -> None:
    page = render_html(made(tmp_path)[0])
    assert "<script" not in page
    assert not re.search(r"""(src|href)=|url\(|@import|https?://""", page)
    assert len(page) < 200_000


def test_what_is_lost_is_named(tmp_path: Path) -> None:
    lost = frozenset(range(100, 180))
    run, ledger = made(tmp_path, lost)
    page = render_html(run)
    assert run.exit_code == 1
    assert "Failed: 80 lost" in page
    assert all(ledger.text(i) in page for i in sorted(lost)[:50])
    assert ledger.text(179) not in page
    assert "30 more in the record" in page
    assert len(run.document["findings"]["lost"]["named"]) == 80


def test_what_is_counted_twice_is_named_by_day(tmp_path: Path) -> None:
    run, _ = made(tmp_path, extra=7)
    page = render_html(run)
    assert "Failed: 7 counted twice" in page
    assert "2026-11-24</td><td>ok</td><td>+7" in page


def test_the_summary_is_the_same_verdict(tmp_path: Path) -> None:
    run, ledger = made(tmp_path, frozenset({5}))
    result = summary(run)
    assert result.exit_code == 1
    assert result.lines[0] == "Failed: 1 lost"
    assert any(ledger.text(5) in line for line in result.lines)
    titles = [table.title for table in result.tables]
    assert titles == ["Thresholds", "Latency", "Sources", "Workers", "Faults", "Recovery"]
    assert all(len(row) == len(table.columns) for table in result.tables for row in table.rows)
    assert result.document()["data"]["findings"]["lost_total"] == 1


def test_the_record_has_no_password(tmp_path: Path) -> None:
    run, _ = made(tmp_path)
    assert "secret" not in (run.directory / "record.json").read_text()


def test_a_void_run_says_why(tmp_path: Path) -> None:
    two = replace(SCENARIO, faults=(*SCENARIO.faults, *SCENARIO.faults))
    run, _ = made(tmp_path, scenario=two)
    assert run.exit_code == 5
    assert "Void: only 1 of 2 faults happened" in render_html(run)


@pytest.mark.parametrize("kind", ["unfinished", "interrupted"])
def test_a_run_without_an_end_has_a_page_too(tmp_path: Path, kind: str) -> None:
    about = document.About(SCENARIO, "x", datetime(2026, 11, 24, tzinfo=UTC), MACHINE)
    content: dict[str, Any] = (
        document.unfinished(about) if kind == "unfinished" else document.interrupted(about, (), Ledger(3))
    )
    run = record.write(record.new_directory(tmp_path, "x", about.started), content)
    assert run.exit_code == (130 if kind == "interrupted" else 1)
    assert kind.capitalize() in render_html(run)
    assert summary(run).exit_code == run.exit_code


def test_what_had_not_settled_is_not_called_lost(tmp_path: Path) -> None:
    run, ledger = made(tmp_path, frozenset({5, 6}), unsettled="not settled after 120 s: 2 in the backlog")
    page, shown = render_html(run), summary(run)
    assert (run.outcome, shown.exit_code) == ("failed", 1)
    assert shown.lines[:2] == ("Failed: not settled after 120 s: 2 in the backlog", "2 not counted yet")
    assert "2 not counted yet: the run ended before everything had settled" in page
    assert ledger.text(6) in page
    assert not any("lost" in line for line in shown.lines)
    assert "lost: must be counted" not in page


def test_keys_that_others_sent_are_told(tmp_path: Path) -> None:
    run, _ = made(tmp_path, log={bytes(16): [LogEntry(201, 1)]})
    assert "1 keys in the access log that others sent" in render_html(run)
    assert "others sent 1 keys that the access log shows" in summary(run).lines


def test_a_record_of_before_has_a_page_too(tmp_path: Path) -> None:
    run, _ = made(tmp_path, frozenset({5}))
    findings = {key: value for key, value in run.document["findings"].items() if key != "not_counted_yet"}
    old = record.write(run.directory, {**run.document, "findings": findings})
    assert "Failed: 1 lost" in render_html(old)
    assert summary(old).exit_code == 1
