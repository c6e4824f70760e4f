"""The runtime protocol, in Docker's terms: replicas are created, started, stopped, killed, paused, read.

Nothing outside `runtimes/` may ask which runtime it talks to. A runtime carries out single operations;
it decides nothing: what to do stands in the plan.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, Protocol

from alpesctl.stack.model import Service, Spec

REPLICA_VARIABLE = "ALPES_REPLICA"
"""Tells a replica its own name, for its log and for what it writes."""

_UNKNOWN = datetime.min.replace(tzinfo=UTC)


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
    created with; `started_at` is in UTC; `restarts` is how often it came back by itself since it was started."""

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
    restarts: int = 0

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

    @property
    def moment(self) -> datetime:
        """`at` for sorting: a line whose time isn't known comes first."""
        return self.at or _UNKNOWN


def in_order(streams: Iterable[Iterator[LogLine]]) -> Iterator[LogLine]:
    """The lines of several replicas in the order of their times; of each replica in its own order."""
    return heapq.merge(*streams, key=lambda line: line.moment)


@dataclass(frozen=True)
class Room:
    """Where data lies, and how much room there is: bytes of the whole disk, and those that can still be used."""

    what: str
    path: str
    total: int
    free: int


@dataclass(frozen=True)
class ExecResult:
    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Step:
    """How far something slow has come: `done` of `total` bytes, None where the total isn't known."""

    what: str
    done: int = 0
    total: int | None = None
    finished: bool = False


Call = Literal["prepare", "create", "start", "stop", "remove", "unpause", "refresh_routes", "await_healthy", "wait"]
"""What of the protocol has words in a shell; `await_healthy` asks until the replica is well."""

Report = Callable[[Step], None]
"""Called with every step of something slow, many times a second."""


class Runtime(Protocol):
    """What both runtimes do. All calls raise `alpesctl.errors.AlpesError` with a way out, nothing else.

    Every call on a replica takes its service's name and its number. Times are in seconds.
    """

    name: str
    uses_images: bool

    def prepare(
        self,
        spec: Spec,
        services: Collection[str] | None = None,
        report: Report | None = None,
        *,
        rebuild: bool = False,
    ) -> None:
        """Make ready what replicas of `services` (None: of all) need before they are created: images,
        networks and volumes; programs and the supervisor. Done already, it is quick and changes nothing;
        `rebuild` builds anew what the compose file says how to build."""
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

    def volumes(self) -> list[str]:
        """The names of the project's volumes that there are."""
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
        """The log lines of the services' replicas, in the order of their times; of each replica in its own order.

        `tail` is of each replica. With `follow`, lines go on, those of replicas that come later too."""
        ...

    def exec(self, service: str, number: int, command: Sequence[str], *, timeout: float = 60.0) -> ExecResult:
        """Run a command beside the replica, in its environment."""
        ...

    def attach(self, service: str, number: int, command: Sequence[str], *, terminal: bool) -> int:
        """The same with this process's own standard input, output and error, byte for byte, and without a
        limit of time; returns the exit code. With `terminal`, a person sits at ours."""
        ...

    def rooms(self) -> list[Room]:
        """The disks under the project's volumes, as far as they can be asked: in a container only while
        it runs."""
        ...

    def shell(self, call: Call, service: str, number: int) -> list[str]:
        """The lines by which a person does in a shell what `call` does to the replica; where there is no
        such command, lines that begin with # say what happens. Changes nothing."""
        ...

    def shell_exec(self, service: str, number: int, command: Sequence[str]) -> str:
        """The line by which a person does what `exec` does."""
        ...

    def endpoint(self, service: str, container_port: int, number: int | None = None) -> Endpoint:
        """Where the service's port answers on this machine: that replica's, or the first running one's."""
        ...


def present(runtime: Runtime, service: str) -> dict[int, State]:
    """The replicas that a service has: their states by their numbers. No health is asked for."""
    return {replica.number: replica.state for replica in runtime.replicas([service], with_health=False)}
