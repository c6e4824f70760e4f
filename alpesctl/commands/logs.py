"""`alpesctl logs`: the lines of one, several or all services, in the order of their times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from alpesctl.commands.options import Json, Services
from alpesctl.context import context_of
from alpesctl.errors import StackDownError, UsageError
from alpesctl.result import Result

if TYPE_CHECKING:
    from alpesctl.runtimes.base import LogLine

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def logs(
    ctx: typer.Context,
    services: Services = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
    since: Annotated[str | None, typer.Option("--since", help="From then on: 10m, 1h30m, or an ISO time.")] = None,
    grep: Annotated[str | None, typer.Option("--grep", help="Only lines that this regular expression finds.")] = None,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", min=0, help="Of each replica only the last lines, before --grep.")
    ] = None,
    no_prefix: Annotated[bool, typer.Option("--no-log-prefix", help="Lines as the program wrote them.")] = False,
    json: Json = False,
) -> Result:
    """Show log lines in the order of their times, each with the replica that wrote it."""
    from alpesctl.reconcile.plan import require_service

    context = context_of(ctx)
    project = context.project
    for name in services or []:
        require_service(project.spec, name)
    if json and follow:
        raise UsageError("--json and --follow exclude each other", why="a document has an end", out="leave one out")
    begin = moment(since, datetime.now(UTC)) if since is not None else None
    pattern = _pattern(grep) if grep is not None else None
    if not project.runtime.replicas(services or None, with_health=False):
        raise StackDownError(
            f"{', '.join(services)} is not up" if services else "nothing of the stack is up", out="alpesctl up"
        )
    lines = _matching(project.runtime.logs(services or [], since=begin, tail=tail, follow=follow), pattern)
    if json:
        found = [
            {"replica": line.replica, "at": line.at.isoformat() if line.at else None, "text": line.text}
            for line in lines
        ]
        return Result("logs", {"lines": found})
    try:
        for line in lines:
            context.log_line("" if no_prefix else line.replica, line.text, pattern)
    except KeyboardInterrupt:  # how one ends to follow: nothing was cut off
        return Result("logs", {}, exit_code=130)
    return Result("logs", {})


def moment(text: str, now: datetime) -> datetime:
    """The time that `--since` names: that long before `now`, or an ISO time, without a zone of this machine's."""
    if re.fullmatch(r"(\d+[smhd])+", text):
        parts = {_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([smhd])", text)}
        return now - timedelta(**parts)
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError as error:
        raise UsageError(
            f"--since {text}: no time",
            why="it is neither a duration nor an ISO time",
            out="write it as 90s, 10m, 1h30m, 2d or 2026-11-24T03:00:00Z",
        ) from error


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(
            f"--grep {text}: no regular expression",
            why=str(error),
            out="correct it; a backslash before a character takes it as it is, as in \\( or \\[",
        ) from error


def _matching(lines: Iterator[LogLine], pattern: re.Pattern[str] | None) -> Iterator[LogLine]:
    return lines if pattern is None else (line for line in lines if pattern.search(line.text))
