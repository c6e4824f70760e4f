"""Reads replicas' logs: lines with the time that stands in them, rotated files included."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from alpesctl.runtimes.base import LogLine

_EPOCH = re.compile(r'"time":\s*"(\d{9,11}\.\d+)"')
# At the line's start, or as the member of that name: what a request holds must not date a line.
_ISO = re.compile(
    r"(?:^\W{0,2}|\"(?:time|timestamp)\":\s*\")"
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\s*(Z|UTC|[+-]\d\d:?\d\d)?"
)
_POLL = 0.1
_CHUNK = 65536


def line_time(text: str) -> datetime | None:
    """The time (UTC) that a line of a program of ours carries; without a zone it is UTC.

    Knows nginx's `"time":"seconds"` and ISO times near the line's start (structlog, PostgreSQL, Pulsar).
    """
    if match := _EPOCH.search(text, 0, 400):
        return datetime.fromtimestamp(float(match.group(1)), UTC)
    if match := _ISO.search(text, 0, 400):
        year, month, day, clock, fraction, zone = match.groups()
        offset = {"Z": "+00:00", "UTC": "+00:00", None: "+00:00"}.get(zone, zone)
        moment = f"{year}-{month}-{day}T{clock}.{(fraction or '0').ljust(6, '0')}{offset}"
        try:
            return datetime.fromisoformat(moment).astimezone(UTC)
        except ValueError:
            return None
    return None


def read(
    replica: str, path: Path, *, since: datetime | None = None, tail: int | None = None, end: int | None = None
) -> Iterator[LogLine]:
    """The lines of `path` up to byte `end`, after those of its rotated predecessor; oldest first.

    A line without a time of its own has that of the line before it.
    """
    lines = _lines(replica, path, end)
    if since is not None:
        lines = (line for line in lines if line.at is None or line.at >= since)
    if tail is None:
        yield from lines
    else:
        yield from deque(lines, maxlen=tail)


def _lines(replica: str, path: Path, end: int | None) -> Iterator[LogLine]:
    at: datetime | None = None
    for part, limit in ((path.with_name(path.name + ".1"), None), (path, end)):
        try:
            with part.open("rb") as file:
                position = 0
                for raw in file:
                    position += len(raw)
                    if limit is not None and position > limit:
                        break
                    text = raw.decode("utf-8", "replace").rstrip("\r\n")
                    at = line_time(text) or at
                    yield LogLine(replica, text, at)
        except FileNotFoundError:
            continue


def ends(files: Mapping[str, Path]) -> dict[str, int]:
    """Up to where each file (by replica) has whole lines now."""
    return {replica: _last_line_end(path) for replica, path in files.items() if path.exists()}


def _last_line_end(path: Path) -> int:
    with path.open("rb") as file:
        position = file.seek(0, 2)
        while position > 0:
            begin = max(0, position - _CHUNK)
            file.seek(begin)
            found = file.read(position - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            position = begin
    return 0


def follow(files: Callable[[], Mapping[str, Path]], positions: dict[str, int]) -> Iterator[LogLine]:
    """Lines beyond `positions` (by replica) as they are written, in the order of their times, until the caller
    stops. `files` is asked again and again: replicas come and go."""
    at: dict[str, datetime | None] = {}
    while True:
        found: list[LogLine] = []
        for replica, path in files().items():
            for text in _beyond(replica, path, positions):
                at[replica] = line_time(text) or at.get(replica)
                found.append(LogLine(replica, text, at[replica]))
        yield from sorted(found, key=lambda line: line.moment)
        if not found:
            time.sleep(_POLL)


def _beyond(replica: str, path: Path, positions: dict[str, int]) -> list[str]:
    """The whole lines that were written since; `positions` moves on."""
    try:
        size = path.stat().st_size
        if size < positions.get(replica, 0):  # rotated, or made anew
            positions[replica] = 0
        if size == positions.get(replica, 0):
            return []
        with path.open("rb") as file:
            file.seek(positions.get(replica, 0))
            data = file.read()
    except FileNotFoundError:
        return []
    whole = data[: data.rfind(b"\n") + 1]
    positions[replica] = positions.get(replica, 0) + len(whole)
    return whole.decode("utf-8", "replace").splitlines()
