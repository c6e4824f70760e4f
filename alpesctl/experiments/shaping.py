"""Brings the stack into a scenario's shape for the time of a run, and puts back what it found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alpesctl.experiments.bench import Bench
from alpesctl.experiments.model import Shape
from alpesctl.experiments.observer import Observer


@contextmanager
def shaped(shape: Shape, bench: Bench, observer: Observer) -> Iterator[None]:
    """The shape, inside; the replicas as they were, afterwards. Partitions only ever grow."""
    before = {service: len(numbers(bench, service)) for service in shape.replicas}
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
        for service in changed:
            observer.phase("putting back", f"{service}: {before[service]} replicas")
            bench.shaper.scale(service, before[service])


@contextmanager
def held(shape: Shape, bench: Bench, observer: Observer) -> Iterator[None]:
    """The held services stopped inside; started afterwards, whatever happened."""
    stopped: list[tuple[str, int]] = []
    try:
        for service in shape.held:
            observer.phase("holding", f"{service} stopped while the load is sent")
            for number in numbers(bench, service):
                stopped.append((service, number))
                bench.runtime.stop(service, number)
        yield
    finally:
        for service, number in stopped:
            bench.runtime.start(service, number)


def numbers(bench: Bench, service: str) -> list[int]:
    """The numbers of a service's replicas."""
    return [r.number for r in bench.runtime.replicas(with_health=False) if r.service == service]
