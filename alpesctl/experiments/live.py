"""What a run shows while it goes on: a live view on a terminal, plain lines elsewhere. Both go to stderr.

Imports rich only for the live view. Must not influence the run.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, TextIO

from alpesctl.experiments.faults import FaultEvent
from alpesctl.experiments.model import Scenario
from alpesctl.experiments.observer import Observer, Sample

PLAIN_PERIOD = 5.0  # seconds between two plain lines
FAULTS_SHOWN = 6


def observer(stream: TextIO | None = None) -> Observer:
    """The live view where `stream` (None: standard error) is a terminal, else plain lines."""
    stream = stream or sys.stderr
    return Live() if stream.isatty() else Plain(stream)


def sample_words(sample: Sample) -> str:
    """A sample as one line; figures are totals, in brackets a second."""
    parts = [
        f"sent {sample.sent:,} ({sample.sent_rate:,.0f}/s)",
        f"accepted {sample.accepted:,}",
        f"counted {_rate(sample.counted_rate)}",
        f"waiting {_number(sample.waiting)}",
    ]
    if sample.in_doubt:
        parts.append(f"in doubt {sample.in_doubt:,}")
    if sample.refused:
        parts.append(f"refused {sample.refused:,}")
    if sample.left:
        parts.append(f"{sample.left:.0f} s left")
    return " · ".join(parts)


def fault_words(event: FaultEvent) -> str:
    text = f"{event.action} {event.target}"
    return f"{text}: did not happen: {event.error}" if event.error else text


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _counted(sample: Sample) -> int | None:
    return None if sample.waiting is None else sample.accepted - sample.waiting


def _rate(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}/s"


class Plain:
    """Lines with seconds since the start; a sample every few seconds, everything else at once."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._begun = time.monotonic()
        self._last = 0.0

    def _line(self, text: str) -> None:
        print(f"{time.monotonic() - self._begun:6.1f} s  {text}", file=self._stream, flush=True)

    def begin(self, scenario: Scenario, run: str) -> None:
        self._begun = time.monotonic()
        self._line(f"{scenario.name}: {scenario.title} (run {run})")

    def phase(self, name: str, detail: str = "") -> None:
        self._line(f"{name}: {detail}" if detail else name)

    def sample(self, sample: Sample) -> None:
        if time.monotonic() - self._last >= PLAIN_PERIOD - 0.5:
            self._last = time.monotonic()
            self._line(sample_words(sample))

    def fault(self, event: FaultEvent) -> None:
        self._line(fault_words(event))

    def end(self) -> None:
        return


class Live:
    """One panel that is redrawn in place."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._view: Any = RichLive(console=Console(stderr=True), refresh_per_second=4, transient=True)
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self._title = self._phase = ""
        self._sample: Sample | None = None
        self._faults: list[str] = []

    def begin(self, scenario: Scenario, run: str) -> None:
        self._begun = time.monotonic()
        self._title = scenario.title or scenario.name
        self._view.start()
        self._draw()

    def phase(self, name: str, detail: str = "") -> None:
        self._phase = f"{name}: {detail}" if detail else name
        self._draw()

    def sample(self, sample: Sample) -> None:
        self._sample = sample
        self._draw()

    def fault(self, event: FaultEvent) -> None:
        self._faults.append(f"{time.monotonic() - self._begun:6.1f} s  {fault_words(event)}")
        self._draw()

    def end(self) -> None:
        self._view.stop()

    def _draw(self) -> None:
        from rich.panel import Panel
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        grid.add_column(justify="right")
        grid.add_column(justify="right", style="cyan")
        for row in self._rows():
            grid.add_row(*row)
        outer = Table.grid()
        outer.add_row(f"[bold]{self._phase}[/bold]   {time.monotonic() - self._begun:.0f} s")
        outer.add_row(grid)
        for line in self._faults[-FAULTS_SHOWN:]:
            outer.add_row(f"[yellow]{line}[/yellow]")
        with self._lock:
            self._view.update(Panel(outer, title=self._title, title_align="left", width=72))

    def _rows(self) -> list[tuple[str, str, str]]:
        sample = self._sample
        if sample is None:
            return []
        rows = [
            ("sent", f"{sample.sent:,}", f"{sample.sent_rate:,.0f}/s"),
            ("accepted", f"{sample.accepted:,}", f"{sample.accepted_rate:,.0f}/s"),
            ("counted", _number(_counted(sample)), _rate(sample.counted_rate)),
            ("in doubt", f"{sample.in_doubt:,}", ""),
            ("refused", f"{sample.refused:,}", ""),
            ("accepted, not counted yet", _number(sample.waiting), ""),
            ("broker's backlog, in batches", _number(sample.backlog), ""),
        ]
        if sample.left is not None:
            rows.append(("time left", f"{sample.left:.0f} s", ""))
        return rows
