"""Brings the stack into a scenario's shape for the time of a run, and puts back what it found.

Putting back tries everything, whatever fails, and tells what failed: it must hide neither a verdict nor the
error that ended the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from alpesctl.errors import AlpesError
from alpesctl.experiments.bench import Bench
from alpesctl.experiments.model import Shape
from alpesctl.experiments.observer import Observer
from alpesctl.runtimes.base import present


@dataclass
class PutBack:
    """What was put back, and what could not be, in words."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def attempt(self, what: str, act: Callable[[], None]) -> Exception | None:
        """Carry it out and keep how it went; returns its error."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - one that can't be put back must not leave the others
            why = f"{error.what} {error.why}" if isinstance(error, AlpesError) else f"{type(error).__name__}: {error}"
            self.failed.append(f"{what}: {why}".strip())
            return error
        self.done.append(what)
        return None


@contextmanager
def shaped(
    shape: Shape, bench: Bench, observer: Observer, put_back: PutBack, begin: Callable[[], None]
) -> Iterator[None]:
    """The shape, inside; the replicas as they were, afterwards, as `put_back` tells. Partitions only ever grow.

    `begin` is called before anything is put back: from then on a second Ctrl-C waits."""
    before = {service: len(present(bench.runtime, service)) for service in shape.replicas}
    changed = [service for service, wanted in shape.replicas.items() if wanted != before[service]]
    try:
        grown = False
        for topic, wanted in shape.partitions.items():
            have = bench.admin.partitions(topic) or 0
            if have < wanted:
                observer.phase("shaping", f"{topic}: {have} → {wanted} partitions")
                bench.shaper.grow(topic, wanted)
                grown = True
        for service in changed:
            observer.phase("shaping", f"{service}: {before[service]} → {shape.replicas[service]} replicas")
            bench.shaper.scale(service, shape.replicas[service])
        if grown or changed:
            observer.phase("shaping", "every partition gets its consumer")
            bench.shaper.settle_consumers()
        yield
    finally:
        begin()
        for service in changed:
            what = f"{service} to {before[service]} replicas"
            observer.phase("putting back", what)
            put_back.attempt(what, lambda s=service: bench.shaper.scale(s, before[s]))  # type: ignore[misc]


@contextmanager
def held(
    shape: Shape,
    bench: Bench,
    observer: Observer,
    put_back: PutBack,
    begin: Callable[[], None],
    resume: Callable[[], None],
) -> Iterator[None]:
    """The held services stopped inside; started afterwards, whatever happened, each of them, whichever fails.

    Where the load went well, the first start that failed is raised in the end. `begin` is called before the
    first start, `resume` once the run can go on: in between, Ctrl-C waits."""
    stopped: list[tuple[str, int]] = []
    errors: list[Exception] = []
    try:
        for service in shape.held:
            observer.phase("holding", f"{service} stopped while the load is sent")
            for number in present(bench.runtime, service):
                stopped.append((service, number))
                bench.journal.begin(service, number, "stop")
                bench.runtime.stop(service, number)
        yield
    finally:
        begin()
        for service, number in stopped:
            error = put_back.attempt(
                f"held {service}-{number}",
                lambda s=service, n=number: bench.runtime.start(s, n),  # type: ignore[misc]
            )
            if error is None:
                bench.journal.end(service, number)
            else:
                errors.append(error)
    if errors:
        raise errors[0]
    resume()
