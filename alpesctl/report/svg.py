"""Line charts as inline SVG: a few kilobytes, no script, opens offline and prints. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 960, 64, 16, 26, 28


@dataclass(frozen=True)
class Line:
    """One line; `points` are x (seconds) and y, None where there is nothing. `style` is a CSS class."""

    name: str
    style: str
    points: Sequence[tuple[float, float | None]]
    filled: bool = False


@dataclass(frozen=True)
class Mark:
    """Something that happened at x: a vertical line with a label."""

    x: float
    label: str
    bad: bool = False


@dataclass(frozen=True)
class Chart:
    """`format` writes a y value; `log` scales y logarithmically."""

    title: str
    lines: Sequence[Line]
    height: int = 240
    log: bool = False
    format: Callable[[float], str] = lambda value: f"{value:,.0f}"
    marks: Sequence[Mark] = ()
    labels: bool = True  # of the marks


def render(chart: Chart) -> str:
    """The chart as an <svg> element."""
    values = [y for line in chart.lines for _, y in line.points if y is not None]
    xs = [x for line in chart.lines for x, _ in line.points] + [mark.x for mark in chart.marks]
    if not values:
        return ""
    right = max(max(xs), 1.0)
    ticks = log_ticks(values) if chart.log else ticks_up_to(max(*values, 1e-9))
    low, high = ticks[0], ticks[-1]
    bottom = chart.height - BOTTOM

    def px(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * x / right

    def py(y: float) -> float:
        linear = (y - low) / (high - low)
        share = math.log(max(y, low) / low) / math.log(high / low) if chart.log else linear
        return bottom - (bottom - TOP) * min(1.0, max(0.0, share))

    parts = [f'<svg viewBox="0 0 {WIDTH} {chart.height}" role="img" aria-label="{escape(chart.title)}">']
    for tick in ticks:
        y = py(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{chart.format(tick)}</text>')
    for x in ticks_up_to(right, 10):
        if x <= right:
            parts.append(f'<text class="tick" x="{px(x):.1f}" y="{bottom + 18}" text-anchor="middle">{x:g} s</text>')
    parts += [_mark(mark, px, bottom, number if chart.labels else -1) for number, mark in enumerate(chart.marks)]
    parts += [_path(line, px, py, bottom) for line in chart.lines]
    parts += [_hover(chart, px, right, bottom)]
    parts.append("</svg>")
    return "".join(parts)


def legend(chart: Chart) -> str:
    """The lines' names with their colours."""
    return "".join(
        f'<span class="key"><i class="swatch {line.style}"></i>{escape(line.name)}</span>' for line in chart.lines
    )


def _path(line: Line, px: Callable[[float], float], py: Callable[[float], float], bottom: float) -> str:
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in line.points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((px(x), py(y)))
    out = []
    for run in runs:
        if not run:
            continue
        if len(run) == 1:
            out.append(f'<circle class="{line.style} dot" cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="2"/>')
            continue
        path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in run)
        if line.filled:
            down = f"L{run[-1][0]:.1f} {bottom} L{run[0][0]:.1f} {bottom} Z"
            out.append(f'<path class="{line.style} area" d="{path} {down}"/>')
        out.append(f'<path class="{line.style} line" d="{path}"/>')
    return "".join(out)


def _mark(mark: Mark, px: Callable[[float], float], bottom: float, number: int) -> str:
    x, style = px(mark.x), "mark bad" if mark.bad else "mark"
    title = f"<title>{escape(mark.label)}, {mark.x:.1f} s</title>"
    line = f'<line class="{style}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}">{title}</line>'
    if number < 0:
        return line
    anchor, shift = ("end", -4) if x > WIDTH * 0.8 else ("start", 4)
    y = TOP - 2 + 13 * (number % 4)
    text = f'<text class="label" x="{x + shift:.1f}" y="{y}" text-anchor="{anchor}">'
    return f"{line}{text}{escape(mark.label)}</text>"


def _hover(chart: Chart, px: Callable[[float], float], right: float, bottom: float) -> str:
    """Invisible bands whose tooltip has the figures of that second."""
    by_x: dict[float, list[str]] = {}
    for line in chart.lines:
        for x, y in line.points:
            if y is not None:
                by_x.setdefault(x, []).append(f"{line.name}: {chart.format(y)}")
    if len(by_x) > 1_000:
        return ""
    width = max(1.0, px(1.0) - px(0.0)) if right > 1 else WIDTH - LEFT - RIGHT
    return "".join(
        f'<rect class="hover" x="{px(x) - width / 2:.1f}" y="{TOP}" width="{width:.1f}" '
        f'height="{bottom - TOP:.0f}">'
        f"<title>{x:g} s\n{escape(chr(10).join(texts))}</title></rect>"
        for x, texts in sorted(by_x.items())
    )


def ticks_up_to(top: float, wanted: int = 4) -> list[float]:
    """Round values from 0 to at least `top`."""
    raw = top / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    return [step * i for i in range(math.ceil(top / step - 1e-9) + 1)]


def log_ticks(values: Sequence[float]) -> list[float]:
    """Powers of ten around all positive values, at least one decade."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]
