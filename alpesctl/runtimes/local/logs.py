"""Reads replicas' logs: lines with the time that stands in them, rotated files included."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterator
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


def read(replica: str, path: Path, *, since: datetime | None = None, tail: int | None = None) -> Iterator[LogLine]:
    """The lines of `path` and its rotated predecessor, oldest first.

    A line without a time of its own has that of the line before it.
    """
    lines = _lines(replica, path)
    if since is not None:
        lines = (line for line in lines if line.at is None or line.at >= since)
    if tail is None:
        yield from lines
    else:
        yield from deque(lines, maxlen=tail)


def _lines(replica: str, path: Path) -> Iterator[LogLine]:
    at: datetime | None = None
    for part in (path.with_name(path.name + ".1"), path):
        try:
            with part.open(encoding="utf-8", errors="replace") as file:
                for text in file:
                    at = line_time(text) or at
                    yield LogLine(replica, text.rstrip("\n"), at)
        except FileNotFoundError:
            continue


def follow(files: dict[str, Path]) -> Iterator[LogLine]:
    """New lines of the files (by replica) as they are written, until the caller stops."""
    positions = {replica: path.stat().st_size if path.exists() else 0 for replica, path in files.items()}
    while True:
        idle = True
        for replica, path in files.items():
            if not path.exists():
                continue
            size = path.stat().st_size
            if size < positions[replica]:
                positions[replica] = 0
            if size == positions[replica]:
                continue
            with path.open("rb") as file:
                file.seek(positions[replica])
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            positions[replica] += len(whole)
            for text in whole.decode("utf-8", "replace").splitlines():
                idle = False
                yield LogLine(replica, text, line_time(text))
        if idle:
            time.sleep(_POLL)
