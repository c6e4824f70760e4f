"""What a check found: how bad, what, why, and the way out. Holds no logic of any check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Side(StrEnum):
    """Whose a problem is; it gives the exit code."""

    MACHINE = "machine"
    STACK = "stack"


@dataclass(frozen=True)
class Finding:
    """`subject` is what was looked at: a port, a disk, a replica, a topic. `out` is a command where there is one."""

    side: Side
    severity: Severity
    subject: str
    what: str
    why: str = ""
    out: str = ""


def exit_code(findings: Sequence[Finding]) -> int:
    """0 without a problem; 4 where the machine has one, since the stack's may come from it; else 3."""
    sides = {finding.side for finding in findings if finding.severity is Severity.PROBLEM}
    if not sides:
        return 0
    return 4 if Side.MACHINE in sides else 3
