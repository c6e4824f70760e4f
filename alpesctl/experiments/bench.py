"""What a run works on: the stack's runtime, description and admin, and who reshapes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from alpesctl.errors import StackDownError, UsageError
from alpesctl.experiments.model import EVERY, Scenario
from alpesctl.journal import Journal
from alpesctl.pulsar_admin import PulsarAdmin
from alpesctl.runtimes.addresses import resolve
from alpesctl.runtimes.base import Health, Replica, Runtime, State, present
from alpesctl.stack.model import Spec


class Shaper(Protocol):
    """Carries out what a scenario's [shape] asks for. Each call returns once it is so."""

    def scale(self, service: str, replicas: int) -> None:
        """Have exactly that many replicas, running and healthy."""
        ...

    def grow(self, topic: str, partitions: int) -> None:
        """Have at least that many partitions."""
        ...

    def settle_consumers(self) -> None:
        """Every subscription has a consumer on every partition."""
        ...


@dataclass(frozen=True)
class Bench:
    """`root` is the folder under which `runs/` lies; `journal` keeps what faults did and did not undo yet."""

    runtime: Runtime
    spec: Spec
    admin: PulsarAdmin
    shaper: Shaper
    root: Path
    journal: Journal

    def address(self, url: str) -> Callable[[], str]:
        """How `url`, as the stack knows it, is reached from here; asked anew at each call."""
        return lambda: resolve(self.runtime, self.spec, url)

    def broker(self) -> str:
        pulsar = self.spec.pulsar
        if pulsar is None:
            raise UsageError("this stack has no Pulsar", why="x-alpes.pulsar is missing", out="declare it")
        return f"pulsar://{self.runtime.endpoint(pulsar.service, pulsar.broker_port)}"

    def topic(self, name: str) -> str:
        """The full name of a topic of the stack's namespace."""
        return f"persistent://{self.admin.namespace}/{name}"


def services_of(scenario: Scenario, spec: Spec) -> list[str]:
    """The services that the scenario needs; raises UsageError for one that the stack lacks."""
    names = [urlsplit(scenario.readback.database).hostname or ""]
    if spec.pulsar is not None:
        names.append(spec.pulsar.service)
    names += [urlsplit(load.target).hostname or "" for load in scenario.loads if load.kind == "http"]
    if scenario.readback.access_log is not None:
        names.append(scenario.readback.access_log.service)
    names += [*scenario.shape.replicas]
    names += [step.service for fault in scenario.faults for step in fault.steps if step.service]
    for name in names:
        if name not in spec.services:
            raise UsageError(
                f"scenario {scenario.name} needs a service {name!r}, which the stack lacks",
                why=f"services are: {', '.join(sorted(spec.services))}",
                out=f"mend {scenario.source}",
            )
    return list(dict.fromkeys(names))


def check_up(scenario: Scenario, bench: Bench, *, patience: float = 30.0) -> None:
    """Raise StackDownError where a service that the scenario needs isn't up and healthy.

    A replica that runs gets `patience` seconds to become healthy: it has just been started, or lifted from a freeze
    that its health check has seen."""
    needed = services_of(scenario, bench.spec)
    deadline = time.monotonic() + patience
    while True:
        replicas = [replica for replica in bench.runtime.replicas() if replica.service in needed]
        unfit = [replica for replica in replicas if not _fit(replica)]
        coming = all(replica.state is State.RUNNING for replica in unfit)
        if not unfit or not coming or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    absent = [name for name in needed if name not in {replica.service for replica in replicas}]
    if unfit or absent:
        what = f"{unfit[0].name} is {_words(unfit[0])}" if unfit else f"{absent[0]} has no replica"
        raise StackDownError(
            f"the stack isn't up: {what}",
            why=f"scenario {scenario.name} needs {unfit[0].service if unfit else absent[0]}",
            out="alpesctl up, then alpesctl status",
        )


def check_faults(scenario: Scenario, bench: Bench) -> None:
    """Raise UsageError where a fault names a replica that there isn't."""
    for fault in scenario.faults:
        for step in (step for step in fault.steps if step.service):
            numbers = present(bench.runtime, step.service)
            if not numbers or step.replica not in (EVERY, *numbers):
                raise UsageError(
                    f"the fault at {fault.at:g} s names {step.service}-{step.replica}, which there isn't",
                    why=f"replicas of {step.service}: {len(numbers)}",
                    out="more replicas, another replica in the file, or --no-faults",
                )


def workers_expected(scenario: Scenario, spec: Spec) -> int:
    """How many replicas the scenario gives the services that consume its topic; 0 where it does not say."""
    topics = spec.pulsar.topics if spec.pulsar is not None else ()
    consumers = (name for topic in topics if topic.name == scenario.readback.topic for name in topic.consumers)
    return sum(scenario.shape.replicas.get(name, 0) for name in consumers)


def _fit(replica: Replica) -> bool:
    return replica.state is State.RUNNING and replica.health in (Health.NONE, Health.HEALTHY)


def _words(replica: Replica) -> str:
    return replica.state.value if replica.state is not State.RUNNING else replica.health.value
