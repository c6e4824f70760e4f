from datetime import UTC, datetime
from pathlib import Path

import pytest

from alpesctl.runtimes.base import LogLine, in_order
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


def test_several_logs_must_be_one_in_the_order_of_their_times(tmp_path: Path) -> None:
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    first.write_text("2026-01-01T00:00:01Z a1\n  goes on\n2026-01-01T00:00:03Z a3\n")
    second.write_text("2026-01-01T00:00:02Z b2\n2026-01-01T00:00:04Z b4\n")
    merged = in_order([logs.read("a-1", first), logs.read("b-1", second)])
    assert [line.text.split()[-1] for line in merged] == ["a1", "on", "b2", "a3", "b4"]


def test_what_is_followed_must_begin_where_the_past_ends_half_lines_included(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    path.write_text("one\ntwo\nthr")
    files = {"web-1": path}
    ends = logs.ends(files)
    with path.open("a") as file:
        file.write("ee\nfour\n")
    assert [line.text for line in logs.read("web-1", path, end=ends["web-1"])] == ["one", "two"]
    following = logs.follow(lambda: files, ends)
    assert [next(following).text for _ in range(2)] == ["three", "four"]


def test_a_log_without_an_end_of_line_must_be_followed_from_its_begin(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    path.write_text("x" * 200_000)
    assert logs.ends({"web-1": path, "gone-1": tmp_path / "no"}) == {"web-1": 0}


def test_replicas_that_come_later_and_logs_made_anew_must_be_followed(tmp_path: Path) -> None:
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    old.write_text("a long line\n")
    files = {"web-1": old}
    following = logs.follow(lambda: files, logs.ends(files))
    old.write_text("anew\n")
    assert next(following) == LogLine("web-1", "anew")
    new.write_text("hello\n")
    files["web-2"] = new
    assert next(following) == LogLine("web-2", "hello")
