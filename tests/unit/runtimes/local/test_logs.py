from datetime import UTC, datetime
from pathlib import Path

import pytest

from alpesctl.runtimes.local import logs


@pytest.mark.parametrize(
    ("line", "second"),
    [
        ('{"time":"1795519124.661","request":"GET /"}', "2026-11-24T11:18:44.661000+00:00"),
        ("2026-11-24 11:18:44.661 UTC [12] LOG:  ready", "2026-11-24T11:18:44.661000+00:00"),
        ("2026-11-24T13:18:44,661+0200 [main] INFO  x", "2026-11-24T11:18:44.661000+00:00"),
        ('{"event":"x","timestamp":"2026-11-24T11:18:44.661Z"}', "2026-11-24T11:18:44.661000+00:00"),
        ("2026/11/24 11:18:44 [error] 1#1: x", "2026-11-24T11:18:44+00:00"),
        ('1#1: request: "POST /?d=1999-01-01T10:00:00"', None),
        ("2026-99-99T10:00:00 no such day", None),
        ("nothing of the kind", None),
    ],
)
def test_the_time_that_stands_in_a_line(line: str, second: str | None) -> None:
    found = logs.line_time(line)
    assert (found.isoformat() if found else None) == second


def test_since_and_tail_go_through_rotated_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "out.log.1").write_text("2026-11-24 10:00:00 one\n2026-11-24 11:00:00 two\n")
    (tmp_path / "out.log").write_text("  of two\n2026-11-24 12:00:00 three\n")
    path = tmp_path / "out.log"
    since = datetime(2026, 11, 24, 11, tzinfo=UTC)
    texts = [line.text.split()[-1] for line in logs.read("web-1", path, since=since)]
    assert texts == ["two", "two", "three"]
    assert [line.text.split()[-1] for line in logs.read("web-1", path, tail=1)] == ["three"]
    assert list(logs.read("web-1", path, tail=0)) == []
