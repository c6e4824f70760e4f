"""What `--since` and the terminal make of words and lines."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from alpesctl import terminal
from alpesctl.commands.logs import moment
from alpesctl.errors import UsageError

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", datetime(2026, 11, 24, 11, 58, 30, tzinfo=UTC)),
        ("1h30m", datetime(2026, 11, 24, 10, 30, tzinfo=UTC)),
        ("2d", datetime(2026, 11, 22, 12, 0, tzinfo=UTC)),
        ("2026-11-24T03:00:00Z", datetime(2026, 11, 24, 3, 0, tzinfo=UTC)),
        ("2026-11-24T03:00:00+02:00", datetime(2026, 11, 24, 1, 0, tzinfo=UTC)),
    ],
)
def test_since_is_a_duration_or_an_iso_time(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "10", "m", "10x", "yesterday", "1h-5m"])
def test_since_that_is_neither_is_named_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        moment(text, NOW)
    assert "90s, 10m, 1h30m" in caught.value.out


def test_at_a_terminal_a_replica_has_its_colour_and_what_was_found_is_in_reverse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(terminal, "_replicas", {})
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    lines = [
        terminal.log_line(name, "an error here", re.compile("err|x*")) for name in ("worker-1", "web-1", "worker-1")
    ]
    assert lines[0] == "\x1b[36mworker-1 |\x1b[0m an \x1b[7merr\x1b[27mor here"
    assert lines[1] == "\x1b[33mweb-1    |\x1b[0m an \x1b[7merr\x1b[27mor here"
    assert lines[2] == lines[0]


def test_without_a_terminal_lines_are_plain() -> None:
    assert terminal.log_line("web-1", "an error", re.compile("err")) == "web-1 | an error"
    assert terminal.log_line("", "an error", re.compile("err")) == "an error"
