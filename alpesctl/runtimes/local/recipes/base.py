"""What a recipe is: how one kind of program runs as a process, made from the service's own description."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from alpesctl.errors import ComposeError
from alpesctl.runtimes.local import translate
from alpesctl.runtimes.local.ports import PortBook
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.stack.model import Mount, Service, Spec

# What a process needs of the caller's environment to run at all.
_KEPT = ("LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Launch:
    """How a replica's process is started, and how its health is asked: an URL that answers 200, or a
    command that exits 0. `uid` and `gid` are None for the caller's own."""

    argv: list[str]
    environment: dict[str, str]
    cwd: Path
    uid: int | None = None
    gid: int | None = None
    ports: dict[int, int] = field(default_factory=dict)
    health_url: str = ""
    health_command: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """One replica to be made: `folder` is its own, for generated files."""

    spec: Spec
    service: Service
    number: int
    folder: Path
    state: ProjectState
    ports: PortBook
    cache: Path
    java_home: Path | None

    @property
    def where(self) -> str:
        return f"services.{self.service.name}"

    def port(self, container_port: int) -> int:
        """This replica's host port for a container port."""
        return self.ports.assign(self.service, self.number, container_port)

    def port_of(self, service: str, container_port: int) -> int:
        """The host port of another service's only replica."""
        return self.ports.assign(self.spec.services[service], 1, container_port)

    def base_environment(self) -> dict[str, str]:
        """A clean environment, with this Python's programs first on the PATH."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
        return {**kept, "PATH": path, "HOME": str(self.folder)}

    def translated_environment(self) -> dict[str, str]:
        """The service's own variables, hosts translated."""
        return translate.environment(
            self.service.environment, self.spec.services, self.port_of, where=f"{self.where}.environment"
        )

    def volume(self, target: str) -> Path:
        """The folder for what the program keeps at `target`: in the volume of `data_mount`, else the replica's own,
        which goes with it, as an anonymous volume does."""
        mount = data_mount(self.service, target)
        if mount is None:
            return self.folder / "data"
        above = PurePosixPath(target).is_relative_to(mount.target)
        inside = PurePosixPath(target).relative_to(mount.target) if above else ""
        folder = self.state.volume_folder(mount.source) / inside
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def bound_file(self, target: str) -> Path | None:
        """The file that is mounted at `target`."""
        for mount in self.service.mounts:
            if mount.kind == "bind" and mount.target == target:
                return Path(mount.source)
        return None


def data_mount(service: Service, target: str) -> Mount | None:
    """The volume for what a program keeps at `target`: mounted there, above, or below; None where the service has none.

    Raises ComposeError where it has volumes, and all are elsewhere, or a folder of this machine is mounted there.
    """
    volumes = [mount for mount in service.mounts if mount.kind == "volume"]
    if (found := _at(target, volumes)) is not None:
        return found
    # Docker makes a folder of what isn't there.
    folders = [mount for mount in service.mounts if mount.kind == "bind" and not Path(mount.source).is_file()]
    if (bound := _at(target, folders)) is not None:
        instead = f"{bound.target} is a folder of this machine, where the local runtime keeps nothing"
    elif volumes:
        instead = f"volumes are at {', '.join(mount.target for mount in volumes)}"
    else:
        return None
    raise ComposeError(
        f"services.{service.name}.volumes: no volume holds {target}",
        why=f"its data lies there, and would be lost with the replica; {instead}",
        out=f"mount a named volume there: NAME:{target}",
    )


def _at(target: str, mounts: Sequence[Mount]) -> Mount | None:
    """The mount that holds `target`, the innermost first; else one below it; else None."""
    wanted = PurePosixPath(target)
    holding = [mount for mount in mounts if wanted.is_relative_to(mount.target)]
    below = (mount for mount in mounts if PurePosixPath(mount.target).is_relative_to(wanted))
    return max(holding, key=lambda mount: len(PurePosixPath(mount.target).parts), default=next(below, None))


class Recipe(Protocol):
    def check(self, service: Service) -> None:
        """Raise ComposeError where the service can't be run as it is described. Touches nothing."""
        ...

    def prepare(self, state: ProjectState, cache: Path, java_home: Path | None) -> None:
        """Fetch what the program needs; done once, then a no-op."""
        ...

    def launch(self, context: Context) -> Launch:
        """Write the replica's files, and say how it is started."""
        ...


def health_command(context: Context, ports: Mapping[int, int]) -> list[str]:
    """The service's own health check, with this Python and the replica's own port."""
    check = context.service.health
    if check is None:
        return []
    words = [
        translate.own_port(
            translate.hosts(word, context.spec.services, context.port_of, where=f"{context.where}.healthcheck"),
            ports,
        )
        for word in check.test
    ]
    if check.shell:
        return ["/bin/sh", "-c", *words]
    return python_first(words)


def python_first(words: list[str]) -> list[str]:
    """A command that starts with `python` runs on the Python that alpesctl runs on."""
    return [sys.executable, *words[1:]] if words and words[0] in ("python", "python3") else words
