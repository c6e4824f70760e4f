"""The runtime protocol, in Docker's terms: replicas are created, started, stopped, killed, paused, read.

Nothing outside `runtimes/` may ask which runtime it talks to. A runtime carries out single operations;
it decides nothing: what to do stands in the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from alpesctl.stack.model import Service, Spec


class State(StrEnum):
    """Docker's container states, as far as we tell them apart."""

    CREATED = "created"
    RUNNING = "running"
    RESTARTING = "restarting"
    PAUSED = "paused"
    EXITED = "exited"


class Health(StrEnum):
    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class Endpoint:
    """Where a replica's port can be reached from this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Replica:
    """One replica as it is now. `number` counts from 1; `digest` is that of the configuration it was
    created with; `started_at` is in UTC."""

    service: str
    number: int
    state: State
    digest: str
    health: Health = Health.NONE
    exit_code: int | None = None
    started_at: datetime | None = None
    pid: int | None = None
    endpoints: tuple[tuple[int, Endpoint], ...] = ()
    cpu_percent: float | None = None
    memory_bytes: int | None = None

    @property
    def name(self) -> str:
        """The replica's name within its project: `service-number`."""
        return f"{self.service}-{self.number}"


@dataclass(frozen=True)
class LogLine:
    """`at` is in UTC, or None where the line's time isn't known."""

    replica: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True)
class ExecResult:
    exit_code: int
    stdout: str
    stderr: str


class Runtime(Protocol):
    """What both runtimes do. All calls raise `alpesctl.errors.AlpesError` with a way out, nothing else.

    Every call on a replica takes its service's name and its number. Times are in seconds.
    """

    name: str

    def prepare(self, spec: Spec) -> None:
        """Make ready what replicas of `spec` need before they are created (images, the supervisor)."""
        ...

    def replicas(
        self, services: Collection[str] | None = None, *, with_usage: bool = False, with_health: bool = True
    ) -> list[Replica]:
        """The replicas of `services` (None: of all), running or not, in order of service and number."""
        ...

    def digest(self, service: Service) -> str:
        """The digest that a replica created now from `service` would carry."""
        ...

    def create(self, service: Service, number: int) -> None:
        """Create a replica, not started."""
        ...

    def start(self, service: str, number: int) -> None: ...

    def stop(self, service: str, number: int, *, grace: float | None = None) -> int | None:
        """The service's own stop signal, then SIGKILL once its grace has passed; stays down.

        Returns the exit code (128 + n after signal n)."""
        ...

    def kill(self, service: str, number: int) -> None:
        """SIGKILL to the replica and all its descendants; stays down until started."""
        ...

    def signal(self, service: str, number: int, signal: str) -> None:
        """Send a signal to the replica's main process only; its restart policy stays in force."""
        ...

    def pause(self, service: str, number: int) -> None:
        """Freeze the replica and all its descendants."""
        ...

    def unpause(self, service: str, number: int) -> None: ...

    def remove(self, service: str, number: int) -> None:
        """Remove a replica that doesn't run. Volumes stay."""
        ...

    def remove_volumes(self) -> list[str]:
        """Delete the project's volumes; returns their names."""
        ...

    def teardown(self) -> None:
        """Once all replicas are gone: networks, the supervisor, what else belongs to the project."""
        ...

    def refresh_routes(self) -> None:
        """Make what balances over replicas (nginx) see the present ones, where it does not by itself."""
        ...

    def wait(self, service: str, number: int, *, timeout: float) -> int:
        """Wait for a one-shot replica to end; returns its exit code."""
        ...

    def logs(
        self,
        services: Sequence[str],
        *,
        since: datetime | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> Iterator[LogLine]:
        """The log lines of the services' replicas, per replica in order."""
        ...

    def exec(self, service: str, number: int, command: Sequence[str], *, timeout: float = 60.0) -> ExecResult:
        """Run a command beside the replica, in its environment."""
        ...

    def endpoint(self, service: str, container_port: int, number: int | None = None) -> Endpoint:
        """Where the service's port answers on this machine: that replica's, or the first running one's."""
        ...
