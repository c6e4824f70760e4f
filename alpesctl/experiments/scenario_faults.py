"""Reads a scenario's [[fault]] tables. Must not know what a fault does, only what one may say."""

from __future__ import annotations

from dataclasses import replace

from alpesctl.experiments.model import EVERY, MAX_SECONDS, Fault, Step
from alpesctl.experiments.strict import Table

ACTIONS = ("kill", "pause", "stop", "restart")
STEPS = (*ACTIONS, "wait", "await")
CONDITIONS = ("unacknowledged",)
ALL = "all"  # as a replica: each of them


def read_faults(top: Table, duration: float) -> tuple[Fault, ...]:
    """All faults of the file, in order of their time; `duration` is the load's, in seconds (0: a burst)."""
    faults = [_fault(table, duration) for table in top.tables("fault")]
    return tuple(sorted(faults, key=lambda fault: fault.at))


def _fault(table: Table, duration: float) -> Fault:
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
    name = table.text("name", _words(table, steps))
    table.close()
    last = at + (repeat - 1) * every
    if duration and last >= duration:
        why = f"it begins at {last:g} s, and the load ends after {duration:g} s"
        table.fail("at", "lies after the load's end", why, "move it, or lengthen the load")
    return Fault(at=at, steps=steps, repeat=repeat, every=every, name=name)


def _words(table: Table, steps: tuple[Step, ...]) -> str:
    """What the fault is called where its file doesn't say."""
    if not table.has("steps"):
        return f"{table.text('action')} {_target(steps[0])}"
    return ", ".join(f"{step.action} {_target(step)}" for step in steps if step.service)


def _target(step: Step) -> str:
    return f"all {step.service}" if step.replica == EVERY else f"{step.service}-{step.replica}"


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
        step = Step(action, service=table.text("service"), replica=_replica(table))
        if action == "pause":
            step = replace(step, seconds=table.number("duration", above=True, high=3_600.0))
        elif action == "restart":
            step = replace(step, action="stop", restart_after=0.0)
        else:
            restart_after = table.number("restart_after", high=3_600.0)
            step = replace(step, restart_after=restart_after)
    if close:
        table.close()
    return step


def _replica(table: Table) -> int:
    if table.is_text("replica"):
        table.text("replica", choices=(ALL,))
        return EVERY
    return int(table.integer("replica", 1, low=1, high=1_000))
