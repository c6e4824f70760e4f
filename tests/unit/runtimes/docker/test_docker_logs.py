"""Lines of containers' logs."""

from __future__ import annotations

from alpesctl.runtimes.docker import logs


def test_a_line_is_its_time_and_its_text() -> None:
    line = logs.parse("web-1", "2026-11-24T13:55:00.123456789Z  two  spaces ")
    assert (line.replica, line.text) == ("web-1", " two  spaces ")
    assert line.at is not None
    assert line.at.isoformat() == "2026-11-24T13:55:00.123456+00:00"


def test_a_line_without_a_time_is_kept() -> None:
    assert logs.parse("web-1", "plain text").text == "plain text"
    assert logs.parse("web-1", "plain text").at is None


def test_a_line_that_the_engine_cut_is_whole_again() -> None:
    stamp = b"2026-11-24T13:55:00.123456789Z "
    frames = [stamp + b"a" * 16384, stamp + b"b" * 16384, stamp + b"end of it\n", stamp + b"next\n", stamp + b"cut off"]
    found = [logs.parse("web-1", line).text for line in logs.lines(frames)]
    assert found == ["a" * 16384 + "b" * 16384 + "end of it", "next", "cut off"]


def test_only_a_newline_ends_a_line() -> None:
    frames = ["2026-11-24T13:55:00Z a\rb\x0cc\u2028d\n".encode()]
    assert [logs.parse("web-1", line).text for line in logs.lines(frames)] == ["a\rb\x0cc\u2028d"]
