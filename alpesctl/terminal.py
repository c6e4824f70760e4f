"""How a terminal shows results, progress and questions. Loaded only once there is something to show."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from alpesctl.reconcile.plan import Operation
from alpesctl.result import Result

_PLAIN_WIDTH = 200


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # Without a terminal nothing may be cut to 80 columns: scripts read it.
    width = None if stream.isatty() else _PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=True)


def render(result: Result) -> None:
    """Print a result for a person: tables and lines on standard output, notes on standard error."""
    console = _console()
    for table in result.tables:
        if not table.rows:
            if table.empty:
                console.print(Text(f"{table.title}: {table.empty}"))
            continue
        shown = RichTable(title=table.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for index, column in enumerate(table.columns):
            numbers = all(_numeric(row[index]) for row in table.rows)
            shown.add_column(column, justify="right" if numbers else "left", no_wrap=True, header_style="dim")
        for row in table.rows:
            shown.add_row(*(Text(cell) for cell in row))
        console.print(shown)
        console.print()
    for line in result.lines:
        console.print(Text(line))
    notes = _console(stderr=True)
    for note in result.notes:
        notes.print(Text(f"note: {note}", style="dim"))


def _numeric(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").removesuffix(" %").removesuffix(" MB").isdigit() or not cell


class _Progress:
    def __init__(self) -> None:
        self._console = _console(stderr=True)
        self._began = time.monotonic()

    def operation(self, stage: str, operation: Operation) -> None:
        if stage == "begin":
            self._began = time.monotonic()
            return
        took = time.monotonic() - self._began
        tail = f"  {took:.1f} s" if took >= 0.1 else ""
        self._console.print(Text.assemble(("✓ ", "green"), str(operation), (tail, "dim")))

    def note(self, text: str) -> None:
        self._console.print(Text(text, style="dim"))


@contextmanager
def open_progress(title: str) -> Iterator[_Progress]:
    """Lines on standard error, one a finished operation."""
    yield _Progress()


def ask(question: str) -> bool | None:
    """Whether a person said yes; None without a terminal."""
    if not sys.stdin.isatty():
        return None
    answer = input(f"{question} [y/N] ")
    return answer.strip().lower() in ("y", "yes")
