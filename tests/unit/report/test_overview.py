"""Many runs in one table: each with what was lost, and those that were cut short as well."""

from __future__ import annotations

from pathlib import Path

from alpesctl.experiments.record import Record
from alpesctl.report.overview import brief, table

WHOLE = {
    "name": "performance",
    "started": "2026-11-24T10:00:00.000+00:00",
    "ended": "2026-11-24T10:01:30.500+00:00",
    "findings": {"sent": 90000, "accepted": 90000, "counted": 89999, "lost_total": 1, "duplicated_total": 0},
    "verdict": {"outcome": "failed", "exit_code": 1},
}
CUT = {
    "name": "drain",
    "started": "2026-11-24T11:00:00.000+00:00",
    "verdict": {"outcome": "unfinished", "exit_code": 130},
}


def test_a_run_tells_what_it_came_to() -> None:
    assert brief(Record(Path("/runs/a-performance"), WHOLE)) == {
        "run": "a-performance",
        "scenario": "performance",
        "started": "2026-11-24T10:00:00.000+00:00",
        "seconds": 90.5,
        "sent": 90000,
        "accepted": 90000,
        "counted": 89999,
        "lost": 1,
        "duplicated": 0,
        "outcome": "failed",
    }


def test_a_run_that_was_cut_short_has_gaps_not_zeros() -> None:
    rows = table([brief(Record(Path("/runs") / name, made)) for name, made in (("a", WHOLE), ("b", CUT))]).rows
    assert [row[2:] for row in rows] == [
        ["90 s", "90,000", "89,999", "1", "0", "failed"],
        ["", "", "", "", "", "unfinished"],
    ]
