"""The stack as the compose file describes it: frozen data, in Compose's terms. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alpesctl.stack.retention import Retention


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
    """How an image is made; `args` are the Dockerfile's ARGs."""

    context: Path
    dockerfile: str
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What a replica may take at most; None is no limit. `memory` in bytes, `cpus` in cores."""

    memory: int | None = None
    cpus: float | None = None
    pids: int | None = None


@dataclass(frozen=True)
class Hardening:
    """What a replica may do; processes of the local runtime have what their user has.

    `tmpfs` holds paths, each with its options after a colon, if any."""

    read_only: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()


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
    is `one_shot` where another one awaits its completion. `entrypoint` is None and `stop_signal` "" for the
    image's own. Without `health` the image's own check stands, unless `health_disabled`. `sources` are the
    folders of the code that runs where there is no image to hold it."""

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
    health_disabled: bool = False
    restart: str = "no"
    stop_signal: str = ""
    stop_grace: float = 10.0
    build: Build | None = None
    user: str = ""
    working_dir: str = ""
    entrypoint: tuple[str, ...] | None = None
    init: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    hardening: Hardening = Hardening()
    recipe: str = ""
    listen: Listen | None = None
    external: Mapping[int, int] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    one_shot: bool = False

    def facing(self, port: int) -> int:
        """The container port that serves clients on this machine who ask for the stack's own `port`."""
        return self.external.get(port, port)


NAMESPACE = ""  # in the place of a topic's name: the whole namespace


@dataclass(frozen=True)
class Topic:
    """A declared topic; `partitions` is a minimum. `consumers` and `producers` name services, each once.
    `retention` is its own, None where the namespace's holds."""

    name: str
    partitions: int
    subscription: str
    consumers: tuple[str, ...] = ()
    producers: tuple[str, ...] = ()
    retention: Retention | None = None


BROKER_PORT, ADMIN_PORT = 6650, 8080  # Pulsar's own, where none are declared


@dataclass(frozen=True)
class Pulsar:
    """Which service is the broker, and what is declared on it."""

    service: str
    broker_port: int
    admin_port: int
    namespace: str
    topics: tuple[Topic, ...] = ()
    retention: Retention | None = None

    def topic(self, name: str) -> Topic | None:
        """The declared topic of that name."""
        return next((topic for topic in self.topics if topic.name == name), None)

    @property
    def retentions(self) -> dict[str, Retention]:
        """What is declared, by topic; NAMESPACE is the namespace's own."""
        found = {topic.name: topic.retention for topic in self.topics}
        return {name: wanted for name, wanted in {NAMESPACE: self.retention, **found}.items() if wanted is not None}


@dataclass(frozen=True)
class StatsSource:
    """Where `alpesctl stats` reads a list of `items` over HTTP; an answer's `next_cursor` asks for the next page as
    `cursor`.

    `total` is the column whose sum tells something, "" where none does. `money` is the column of sums in minor units,
    by currency; "" for none. `shown` bounds the table: to the items with the first so many values of the first
    column, in the answer's order; 0 for all.
    """

    title: str
    url: str
    columns: tuple[str, ...]
    total: str = ""
    money: str = ""
    shown: int = 0


@dataclass(frozen=True)
class Address:
    title: str
    url: str


@dataclass(frozen=True)
class Network:
    """A network; `name` is its own, "" for the one made of the project's and its key."""

    name: str = ""
    driver: str = "bridge"
    internal: bool = False


@dataclass(frozen=True)
class Volume:
    """A named volume; `name` as of a Network."""

    name: str = ""
    driver: str = "local"


@dataclass(frozen=True)
class StandIn:
    """An image built here in place of one that can't be pulled: from `debootstrap` (a Debian suite), or from
    a Dockerfile. `recipe` names the local runtime's recipe whose files go into the build's context."""

    image: str
    debootstrap: str = ""
    dockerfile: Path | None = None
    recipe: str = ""


@dataclass(frozen=True)
class StandIns:
    """All stand-ins, in the order in which they are built. `env_file` has the variables by which the compose
    file uses them."""

    env_file: Path
    images: tuple[StandIn, ...]


@dataclass(frozen=True)
class Spec:
    """The whole stack. `memory` is what all of it takes, in bytes; None where the file doesn't say."""

    project: str
    directory: Path
    files: tuple[Path, ...]
    services: Mapping[str, Service]
    networks: Mapping[str, Network] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    pulsar: Pulsar | None = None
    stats: Sequence[StatsSource] = field(default_factory=tuple)
    addresses: Sequence[Address] = field(default_factory=tuple)
    stand_ins: StandIns | None = None
    memory: int | None = None
