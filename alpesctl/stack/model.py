"""The stack as the compose file describes it: frozen data, in Compose's terms. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Port:
    """A published port: `container` on the service, one of `host_first`..`host_last` on `host_ip`."""

    container: int
    host_first: int
    host_last: int
    host_ip: str = "127.0.0.1"


@dataclass(frozen=True)
class Mount:
    """A named volume or a bind mount; `source` of a bind mount is an absolute path."""

    kind: str
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class HealthCheck:
    """`test` is the command without its CMD; times in seconds."""

    test: tuple[str, ...]
    shell: bool = False
    interval: float = 30.0
    timeout: float = 30.0
    retries: int = 3
    start_period: float = 0.0


@dataclass(frozen=True)
class Dependency:
    """`condition`: service_started, service_healthy or service_completed_successfully."""

    service: str
    condition: str


@dataclass(frozen=True)
class Build:
    context: Path
    dockerfile: str
    target: str = ""


@dataclass(frozen=True)
class Listen:
    """The variables by which a service learns where to listen."""

    host_variable: str
    port_variable: str
    container_port: int


@dataclass(frozen=True)
class Service:
    """One service; `recipe` names how the local runtime runs it ("" runs `command` itself).

    `external` maps a port as the stack knows it to the one that serves clients on this machine. A service
    is `one_shot` where another one awaits its completion."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    replicas: int = 1
    health: HealthCheck | None = None
    restart: str = "no"
    stop_signal: str = "SIGTERM"
    stop_grace: float = 10.0
    build: Build | None = None
    user: str = ""
    working_dir: str = ""
    recipe: str = ""
    listen: Listen | None = None
    external: Mapping[int, int] = field(default_factory=dict)
    one_shot: bool = False


@dataclass(frozen=True)
class Topic:
    """A declared topic; `partitions` is a minimum. `consumers` and `producers` name services."""

    name: str
    partitions: int
    subscription: str
    consumers: str = ""
    producers: str = ""


@dataclass(frozen=True)
class Pulsar:
    """Which service is the broker, and what is declared on it."""

    service: str
    broker_port: int
    admin_port: int
    namespace: str
    topics: tuple[Topic, ...] = ()


@dataclass(frozen=True)
class StatsSource:
    """Where `alpesctl stats` reads a list of `items` over HTTP."""

    title: str
    url: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Address:
    title: str
    url: str


@dataclass(frozen=True)
class Spec:
    """The whole stack."""

    project: str
    directory: Path
    files: tuple[Path, ...]
    services: Mapping[str, Service]
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    pulsar: Pulsar | None = None
    stats: Sequence[StatsSource] = field(default_factory=tuple)
    addresses: Sequence[Address] = field(default_factory=tuple)
