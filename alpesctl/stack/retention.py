"""Retention in Pulsar's terms, and how people write it (10G, 7d, -1): how much of what was acknowledged is kept.

Pure; asks no broker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alpesctl.errors import UsageError

UNLIMITED = -1
MOST = 2**31 - 1  # Pulsar's own: minutes and megabytes are 32-bit numbers there
_BYTES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MEGABYTE, _MINUTE = 1 << 20, 60


@dataclass(frozen=True)
class Retention:
    """At least `size_mb` megabytes (binary) and `time_minutes` are kept; UNLIMITED is without limit. Both 0:
    nothing is kept once it is acknowledged."""

    size_mb: int
    time_minutes: int

    @property
    def size(self) -> str:
        """As a person writes it."""
        return _unlimited(self.size_mb) or _largest(self.size_mb * _MEGABYTE, _BYTES)

    @property
    def time(self) -> str:
        """As a person writes it."""
        return _unlimited(self.time_minutes) or _largest(self.time_minutes * _MINUTE, _SECONDS)

    def __str__(self) -> str:
        return f"size {self.size}, time {self.time}"


NOTHING = Retention(0, 0)


@dataclass(frozen=True)
class BacklogQuota:
    """How much may wait unacknowledged, and what happens beyond; -1 is without limit."""

    limit_bytes: int
    limit_seconds: int
    policy: str

    def __str__(self) -> str:
        parts = [_largest(self.limit_bytes, _BYTES)] if self.limit_bytes > 0 else []
        if self.limit_seconds > 0:
            parts.append(_largest(self.limit_seconds, _SECONDS))
        return f"{', '.join(parts)} ({self.policy})" if parts else "none"


def size(text: str) -> tuple[int, str]:
    """Megabytes of a size such as 10G, and a note where it was rounded up; raises UsageError."""
    return _read(text, _BYTES, _MEGABYTE, "size", "megabytes", "10G")


def time(text: str) -> tuple[int, str]:
    """Minutes of a time such as 7d, and a note where it was rounded up; raises UsageError."""
    return _read(text, _SECONDS, _MINUTE, "time", "minutes", "7d")


def _read(text: str, units: dict[str, int], step: int, kind: str, steps: str, example: str) -> tuple[int, str]:
    written = text.strip()
    if written in ("-1", "0"):
        return int(written), ""
    found = re.fullmatch(r"(\d+)([A-Za-z])", written)
    letter = "" if not found else found[2].upper() if units is _BYTES else found[2].lower()
    if not found or letter not in units:
        why = "it has no unit" if written.lstrip("-").isdigit() else ""
        raise UsageError(
            f"{text!r} is no {kind}",
            why=why,
            out=f"write it with {', '.join(units)}, as in {example}; -1 is without limit, 0 keeps nothing",
        )
    exact = int(found[1]) * units[letter]
    whole = -(-exact // step)
    if whole > MOST:
        raise UsageError(f"{text!r} is more than Pulsar can hold ({MOST:,} {steps})", out="write -1: without limit")
    note = f"{text} is rounded up to {_largest(whole * step, units)}: Pulsar counts in whole {steps}"
    return whole, note if exact % step else ""


def require_sound(retention: Retention) -> Retention:
    """Raises UsageError for what Pulsar refuses whatever the quota: one of both is 0, and the other isn't."""
    if (retention.size_mb == 0) != (retention.time_minutes == 0):
        zero, other = ("size", "time") if retention.size_mb == 0 else ("time", "size")
        raise UsageError(
            f"a {zero} of 0 goes only with a {other} of 0",
            why="one limit that is 0 keeps nothing, whatever the other says, and Pulsar refuses it",
            out=f"--{zero} -1 for no limit of {zero}; --size 0 --time 0 to keep nothing",
        )
    return retention


def require_above_quota(retention: Retention, quota: BacklogQuota | None) -> None:
    """Pulsar's rule: a limit of retention must exceed the backlog quota's limit of its kind; raises UsageError."""
    if quota is None:
        return
    size_mb, minutes = retention.size_mb, retention.time_minutes
    if size_mb > 0 and quota.limit_bytes >= size_mb * _MEGABYTE:
        raise _conflict("size", retention.size, _largest(quota.limit_bytes, _BYTES))
    if minutes > 0 and quota.limit_seconds >= minutes * _MINUTE:
        raise _conflict("time", retention.time, _largest(quota.limit_seconds, _SECONDS))


def _conflict(kind: str, wanted: str, limit: str) -> UsageError:
    return UsageError(
        f"a retention {kind} of {wanted} is not above the backlog quota's {limit}",
        why=f"Pulsar's rule: retention must exceed the backlog quota, by {kind} here; what may wait must be kept too",
        out=f"a {kind} above {limit}, or -1; or lower the quota: pulsar-admin namespaces set-backlog-quota",
    )


def _unlimited(number: int) -> str:
    return "unlimited" if number == UNLIMITED else "0" if number == 0 else ""


def _largest(number: int, units: dict[str, int]) -> str:
    for letter, factor in sorted(units.items(), key=lambda unit: -unit[1]):
        if number % factor == 0 and number >= factor and letter != "w":
            return f"{number // factor}{letter}"
    return str(number)
