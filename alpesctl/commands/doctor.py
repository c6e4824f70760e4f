"""`alpesctl doctor`: what is wrong with the machine and the stack, why, and the way out. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from alpesctl.commands.options import Json
from alpesctl.context import context_of
from alpesctl.result import Result, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alpesctl.diagnosis.finding import Finding


def doctor(ctx: typer.Context, json: Json = False) -> Result:
    """Look at the machine and every part of the stack: each trouble with its cause and the way out."""
    from alpesctl.diagnosis.examine import examine, examine_machine
    from alpesctl.diagnosis.finding import Finding, Severity, Side, exit_code
    from alpesctl.errors import AlpesError
    from alpesctl.settings import settings

    try:
        found = examine(context_of(ctx).project, settings())
    except AlpesError as error:  # the compose file, its variables: the machine can be looked at all the same
        unreadable = Finding(Side.STACK, Severity.PROBLEM, "compose file", error.what, error.why, error.out)
        found = [*examine_machine(settings()), unreadable]
    return Result(
        "doctor",
        {"findings": [plain(finding) for finding in found]},
        lines=_lines(found),
        exit_code=exit_code(found),
    )


def _lines(found: Sequence[Finding]) -> list[str]:
    """The worst last, where the eye is; then how many of which."""
    from alpesctl.diagnosis.finding import Severity

    marks = {Severity.OK: "✓", Severity.WARNING: "!", Severity.PROBLEM: "✗"}
    lines = []
    for severity, mark in marks.items():
        for finding in found:
            if finding.severity is severity:
                lines.append(f"{mark} {finding.subject}: {finding.what}")
                lines += [f"    why: {finding.why}"] if finding.why else []
                lines += [f"    what to do: {finding.out}"] if finding.out else []
    problems, warnings = (sum(f.severity is s for f in found) for s in (Severity.PROBLEM, Severity.WARNING))
    lines.append(f"{_count(problems, 'problem')}, {_count(warnings, 'warning')}")
    return lines


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
