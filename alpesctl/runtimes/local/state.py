"""The local runtime's files of one project: who owns it, its replicas, their ports. Atomic JSON."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from alpesctl.atomic import write_text
from alpesctl.errors import MachineError
from alpesctl.runtimes.local.launch import LAUNCHES, boot

_LONGEST_SOCKET_PATH = 100
# The user's wishes lie beside the runtime's files, and outlive a `down`.
WISHES = "wishes.json"


@dataclass(frozen=True)
class ReplicaRecord:
    """A created replica. `ports` maps container ports (as text, for JSON) to host ports."""

    service: str
    number: int
    digest: str
    recipe: str
    autorestart: bool
    on_failure: bool
    one_shot: bool
    stop_signal: str
    stop_grace: float
    ports: dict[str, int]
    health_url: str
    health_command: list[str]
    health_timeout: float

    @property
    def program(self) -> str:
        """supervisor's name of it."""
        return f"{self.service}-{self.number}"


def _record(raw: dict[str, Any]) -> ReplicaRecord:
    """From JSON; members that another version wrote are left out."""
    names = {field.name for field in fields(ReplicaRecord)}
    try:
        return ReplicaRecord(**{name: value for name, value in raw.items() if name in names})
    except TypeError as error:
        raise MachineError(
            "a replica's record is of another version of alpesctl",
            why=str(error),
            out="alpesctl down with the version that made it",
        ) from error


class ProjectState:
    """All paths of a project, and the records in them."""

    def __init__(self, root: Path, project: str) -> None:
        self.root = root
        self.project = project
        self.folder = root / project
        self.replicas_folder = self.folder / "replicas"
        self.volumes_folder = self.folder / "volumes"
        self.programs_folder = root / "programs"
        self.supervisor_conf = self.folder / "supervisord.conf"
        self.supervisor_log = self.folder / "supervisord.log"
        self.supervisor_pid = self.folder / "supervisord.pid"
        self.programs_conf = self.folder / "conf.d"

    @property
    def socket(self) -> Path:
        """supervisor's socket: in the project's folder, or in a short one where the path is too long."""
        inside = self.folder / "supervisor.sock"
        if len(str(inside).encode()) <= _LONGEST_SOCKET_PATH:
            return inside
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path("/tmp") / f"alpesctl-{os.getuid()}" / f"{name}.sock"

    def ensure(self) -> None:
        """Create the folders; the socket's is open to its owner only."""
        try:
            for folder in (
                self.replicas_folder,
                self.volumes_folder,
                self.programs_conf,
                self.programs_folder,
            ):
                folder.mkdir(parents=True, exist_ok=True)
            # As root the database and nginx's workers run as other users, who must reach their files.
            mode = 0o755 if os.geteuid() == 0 else 0o700
            for folder in (self.root, self.folder, self.volumes_folder, self.replicas_folder):
                folder.chmod(mode)
            if self.socket.parent != self.folder:
                self.socket.parent.mkdir(mode=0o700, exist_ok=True)
                if self.socket.parent.stat().st_uid != os.getuid():
                    raise MachineError(
                        f"{self.socket.parent} belongs to another user", out="set ALPES_STATE_DIR to a shorter path"
                    )
        except OSError as error:
            raise MachineError(
                f"{self.folder} can't be written",
                why=str(error.strerror),
                out="set ALPES_STATE_DIR to a folder of your own",
            ) from error

    def replica_folder(self, service: str, number: int) -> Path:
        return self.replicas_folder / f"{service}-{number}"

    def volume_folder(self, name: str) -> Path:
        return self.volumes_folder / name

    def owner(self) -> Path | None:
        """The folder that started the project, None where nobody did."""
        owner = read_json(self.folder / "project.json").get("directory")
        return Path(owner) if owner else None

    def claim(self, directory: Path) -> None:
        """Record `directory` as the project's owner."""
        self.ensure()
        write_json(self.folder / "project.json", {"project": self.project, "directory": str(directory)})

    def records(self) -> Iterator[ReplicaRecord]:
        """All created replicas, by service and number."""
        found = []
        for path in self.replicas_folder.glob("*/replica.json"):
            raw = read_json(path)
            if raw:
                found.append(_record(raw))
        yield from sorted(found, key=lambda r: (r.service, r.number))

    def record(self, service: str, number: int) -> ReplicaRecord | None:
        raw = read_json(self.replica_folder(service, number) / "replica.json")
        return _record(raw) if raw else None

    def save(self, record: ReplicaRecord) -> None:
        write_json(self.replica_folder(record.service, record.number) / "replica.json", asdict(record))

    def launched(self, service: str, number: int) -> tuple[int, float] | None:
        """Process id and time (Unix seconds) of the replica's last launch in this boot of the machine,
        whether or not it still runs."""
        raw = read_json(self.replica_folder(service, number) / "pid.json")
        if not raw.get("pid") or raw.get("boot") != boot():
            return None
        return int(raw["pid"]), float(raw.get("launched_at", 0.0))

    def restarts(self, service: str, number: int) -> int:
        """How often the replica was launched again since it was started."""
        try:
            return max(0, (self.replica_folder(service, number) / LAUNCHES).stat().st_size - 1)
        except FileNotFoundError:
            return 0

    def forget_restarts(self, service: str, number: int) -> None:
        (self.replica_folder(service, number) / LAUNCHES).unlink(missing_ok=True)

    def launch(self, service: str, number: int) -> tuple[dict[str, str], str]:
        """The environment and the working directory that the replica is started with."""
        raw = read_json(self.replica_folder(service, number) / "launch.json")
        return {str(k): str(v) for k, v in raw.get("environment", {}).items()}, str(raw.get("cwd", "/"))

    def ports(self) -> dict[str, int]:
        """Every assigned host port, by `service-number:container_port`."""
        return {str(key): int(value) for key, value in read_json(self.folder / "ports.json").items()}

    def save_ports(self, ports: dict[str, int]) -> None:
        write_json(self.folder / "ports.json", ports)

    def has_volumes(self) -> bool:
        return self.volumes_folder.is_dir() and any(self.volumes_folder.iterdir())

    def forget(self) -> None:
        """Remove everything of the project but its volumes, and what isn't the runtime's own."""
        for entry in self.folder.iterdir() if self.folder.is_dir() else ():
            if entry == self.volumes_folder or entry.name == WISHES:
                continue
            if entry.name == "project.json" and self.has_volumes():
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        if self.folder.is_dir() and not self.has_volumes():
            shutil.rmtree(self.volumes_folder, ignore_errors=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`, empty where there is none."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: Any, *, mode: int = 0o644) -> None:
    """Replace `path` by `value` as JSON, in one step."""
    write_text(path, json.dumps(value, indent=1), mode=mode)
