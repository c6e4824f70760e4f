"""Reads a scenario's [[fault]] tables. Must not know what a fault does, only what one may say."""

from __future__ import annotations

from dataclasses import replace

from alpesctl.experiments.model import MAX_SECONDS, Fault, Load, Step
from alpesctl.experiments.strict import Table

ACTIONS = ("kill", "pause", "stop")
STEPS = (*ACTIONS, "wait", "await")
CONDITIONS = ("unacknowledged",)


def read_faults(top: Table, load: Load) -> tuple[Fault, ...]:
    """All faults of the file, in order of their time."""
    faults = [_fault(table, load) for table in top.tables("fault")]
    return tuple(sorted(faults, key=lambda fault: fault.at))


def _fault(table: Table, load: Load) -> Fault:
    at = float(table.number("at", ..., high=MAX_SECONDS))
    repeat = int(table.integer("repeat", 1, low=1, high=10_000))
    every = float(table.number("every", 0.0, high=MAX_SECONDS))
    if repeat > 1 and every <= 0:
        table.fail("every", "is missing", "it says how far apart the repetitions are", "add every = 5.0, say")
    if table.has("steps"):
        steps = tuple(_step(step, STEPS) for step in table.tables("steps"))
        if not steps:
            table.fail("steps", "is empty", "the fault would do nothing", "add a step, or remove the fault")
    else:
        steps = (_step(table, ACTIONS, close=False),)
    table.close()
    last = at + (repeat - 1) * every
    if load.duration and last >= load.duration:
        why = f"it begins at {last:g} s, and the load ends after {load.duration:g} s"
        table.fail("at", "lies after the load's end", why, "move it, or lengthen the load")
    return Fault(at=at, steps=steps, repeat=repeat, every=every)


def _step(table: Table, actions: tuple[str, ...], *, close: bool = True) -> Step:
    action = table.text("action", choices=actions)
    if action == "wait":
        step = Step(action, seconds=table.number("seconds", ..., above=True, high=3_600.0))
    elif action == "await":
        step = Step(
            action,
            condition=table.text("condition", choices=CONDITIONS),
            at_least=table.integer("at_least", 1, low=1),
            within=table.number("within", 10.0, above=True, high=600.0),
        )
    else:
        step = Step(action, service=table.text("service"), replica=table.integer("replica", 1, low=1, high=1_000))
        if action == "pause":
            step = replace(step, seconds=table.number("duration", above=True, high=3_600.0))
        else:
            restart_after = table.number("restart_after", high=3_600.0)
            step = replace(step, restart_after=restart_after)
    if close:
        table.close()
    return step
