"""How a terminal shows results, progress and questions. Loaded only once there is something to show."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from alpesctl.result import Result

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from alpesctl.reconcile.plan import Operation
    from alpesctl.runtimes.base import Step

_PLAIN_WIDTH = 200
_MARKS = {"! ": "yellow", "✗ ": "bold red"}
"""How a line that begins with a mark is shown."""


def _console(stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # Without a terminal nothing may be cut to 80 columns: scripts read it.
    width = None if stream.isatty() else _PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=True)


def render(result: Result) -> None:
    """Print a result for a person: tables and lines on standard output, notes on standard error."""
    console = _console()
    for part in _parts(result):
        console.print(part)
    notes = _console(stderr=True)
    for note in result.notes:
        notes.print(Text(f"note: {note}", style="dim"))


def _parts(result: Result) -> Iterator[RenderableType]:
    """The tables and lines of a result."""
    for table in result.tables:
        if not table.rows:
            if table.empty:
                yield Text(f"{table.title}: {table.empty}")
            continue
        shown = RichTable(title=table.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for index, column in enumerate(table.columns):
            numbers = all(_numeric(row[index]) for row in table.rows)
            shown.add_column(column, justify="right" if numbers else "left", no_wrap=True, header_style="dim")
        for row in table.rows:
            shown.add_row(*(Text(cell) for cell in row))
        yield shown
        yield Text()
    for line in result.lines:
        yield Text(line, style=_MARKS.get(line[:2], ""))


@contextmanager
def open_live(footer: str) -> Iterator[Callable[[Result], None] | None]:
    """Shows one result in place of the last, with `footer` and the time below; None without a terminal."""
    if not sys.stdout.isatty():
        yield None
        return
    from rich.live import Live

    with Live(console=_console(), auto_refresh=False, screen=False) as live:

        def show(result: Result) -> None:
            below = Text(f"{time.strftime('%H:%M:%S')}, {footer}", style="dim")
            live.update(Group(*_parts(result), below), refresh=True)

        yield show


_COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")
_replicas: dict[str, str] = {}  # each replica's colour, in the order in which they spoke


def log_line(replica: str, text: str, pattern: re.Pattern[str] | None) -> str:
    """A line of a log with the replica that wrote it; at a terminal coloured by replica, with what was found
    in reverse. Escape codes by hand: there may be a million lines."""
    if not sys.stdout.isatty():
        return f"{replica} | {text}" if replica else text
    if pattern is not None:
        text = pattern.sub(lambda found: f"\x1b[7m{found[0]}\x1b[27m" if found[0] else "", text)
    if not replica:
        return text
    colour = _replicas.setdefault(replica, _COLOURS[len(_replicas) % len(_COLOURS)])
    width = max(len(name) for name in _replicas)
    return f"\x1b[{colour}m{replica:<{width}} |\x1b[0m {text}"


def _numeric(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").removesuffix(" %").removesuffix(" MB").isdigit() or not cell


class _Progress:
    def __init__(self) -> None:
        self._console = _console(stderr=True)
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def operation(self, stage: str, operation: Operation) -> None:
        """One line an operation once it is done; where there is a terminal, what is under way with its seconds."""
        self.close()
        if stage == "begin":
            self._began = time.monotonic()
            if self._console.is_terminal:
                self._open_line(str(operation))
            return
        took = time.monotonic() - self._began
        tail = f"  {took:.1f} s" if took >= 0.1 else ""
        self._console.print(Text.assemble(("✓ ", "green"), str(operation), (tail, "dim")))

    def step(self, step: Step) -> None:
        """A bar where there is a terminal; a line when it is done in any case."""
        if step.finished:
            self.close()
            self._console.print(Text.assemble(("✓ ", "green"), step.what))
        elif self._console.is_terminal:
            bar = self._bar or self._open_bar()
            task = self._tasks.get(step.what)
            if task is None:
                task = self._tasks[step.what] = bar.add_task(step.what, total=step.total)
            bar.update(task, completed=step.done, total=step.total)

    def _open_bar(self) -> Progress:
        from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.start()
        return self._bar

    def _open_line(self, text: str) -> None:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.add_task(text, total=None)
        self._bar.start()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._tasks.clear()

    def note(self, text: str) -> None:
        self.close()
        self._console.print(Text(text, style="dim"))


@contextmanager
def open_progress(title: str) -> Iterator[_Progress]:
    """Lines on standard error, one a finished operation."""
    view = _Progress()
    try:
        yield view
    finally:
        view.close()


def ask(question: str) -> bool | None:
    """Whether a person said yes; None without a terminal."""
    if not sys.stdin.isatty():
        return None
    answer = input(f"{question} [y/N] ")
    return answer.strip().lower() in ("y", "yes")
