"""Reshapes a running stack for a scenario, by the same plans as the commands. Keeps no wish."""

from __future__ import annotations

from dataclasses import replace

from alpesctl.project import Project
from alpesctl.reconcile.apply import Progress
from alpesctl.reconcile.plan import Action, Operation, Plan, plan_partitions, plan_up, require_count


class PlanShaper:
    """Each call plans from a fresh snapshot, applies, and returns once it is so."""

    def __init__(self, project: Project, progress: Progress | None = None) -> None:
        self._project = project
        self._wished = project.wishes.load().replicas
        self._applier = project.applier(progress)

    def scale(self, service: str, replicas: int) -> None:
        """Have exactly that many replicas of the service, running and healthy; what was wished for meanwhile,
        beside the run, goes before."""
        require_count(service, replicas)
        with self._project.locks.shaping():
            wished = self._project.wishes.load().replicas.get(service)
            if wished is not None and wished != self._wished.get(service):
                replicas = wished
            desired = self._project.desired([service])
            desired = replace(desired, counts={**desired.counts, service: replicas})
            self._applier.apply(plan_up(desired, self._project.observe()))

    def grow(self, topic: str, partitions: int) -> None:
        """Have at least that many partitions; consumers and producers are rolled where it grew."""
        pulsar = self._project.spec.pulsar
        with self._project.locks.shaping():
            observed = self._project.observe()
            present = (observed.partitions or {}).get(topic, 0)
            for declared in pulsar.topics if pulsar else ():
                if declared.name == topic and present < partitions:
                    self._applier.apply(plan_partitions(self._project.spec, observed, declared, partitions))

    def settle_consumers(self) -> None:
        """Wait until every subscription with a declared consumer has one on every partition."""
        pulsar = self._project.spec.pulsar
        waits = [
            Operation(Action.AWAIT_CONSUMERS, topic.name, "the load must find every consumer")
            for topic in (pulsar.topics if pulsar else ())
            if topic.consumers and topic.subscription
        ]
        self._applier.apply(Plan(tuple(waits)))
