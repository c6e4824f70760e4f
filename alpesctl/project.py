"""One project as the commands use it: its spec, its runtime, its broker, and what is wished for."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alpesctl.errors import MachineError, UsageError
from alpesctl.pulsar_admin import PulsarAdmin
from alpesctl.reconcile.apply import Applier, Progress
from alpesctl.reconcile.observed import Observed, observe
from alpesctl.reconcile.plan import Desired, with_dependencies
from alpesctl.reconcile.wishes import WishFile
from alpesctl.runtimes.base import Runtime
from alpesctl.settings import Settings, process_environment, settings
from alpesctl.stack.load import load
from alpesctl.stack.model import Spec


@dataclass(frozen=True)
class Where:
    """How a project is named on the command line; None is the default of each."""

    file: Path | None = None
    project_name: str | None = None
    env_file: Path | None = None
    runtime: str | None = None


class Project:
    """Opens what a command needs, when it needs it."""

    def __init__(self, where: Where, *, start: Path | None = None) -> None:
        self._where = where
        self._settings = settings()
        self.spec: Spec = load(
            start=start or Path.cwd(),
            environment=process_environment(),
            file=where.file,
            project_name=where.project_name,
            env_file=where.env_file,
        )

    @cached_property
    def runtime(self) -> Runtime:
        """The runtime that was asked for; raises MachineError where it isn't to be had."""
        return open_runtime(self._where.runtime or self._settings.runtime, self.spec, self._settings)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held by whatever changes the project. Raises MachineError while another alpesctl holds it."""
        path = self._settings.state_dir / f"{self.spec.project}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise MachineError(
                    f"another alpesctl is at work on the project {self.spec.project}",
                    why=f"{file.read().strip() or 'it'} has not ended yet",
                    out="wait for it, or end it",
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()} ({' '.join(sys.argv[1:])})")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    @property
    def records(self) -> Path:
        """The folder under which `runs/` lies."""
        return self._settings.records_dir or self.spec.directory

    @cached_property
    def wishes(self) -> WishFile:
        return WishFile(self._settings.state_dir / self.spec.project / "wishes.json")

    def admin(self) -> PulsarAdmin:
        """A client of the broker's admin endpoint; raises StackDownError while there is none."""
        pulsar = self.spec.pulsar
        if pulsar is None:
            raise UsageError("this stack declares no Pulsar", out="add x-alpes.pulsar to the compose file")
        endpoint = self.runtime.endpoint(pulsar.service, pulsar.admin_port)
        return PulsarAdmin(f"http://{endpoint}", pulsar.namespace)

    def observe(self, *, with_usage: bool = False) -> Observed:
        """One snapshot; the broker is asked only while it runs."""
        return observe(self.runtime, self.spec, self.admin, with_usage=with_usage)

    def desired(self, services: Collection[str] = (), *, remove_orphans: bool = False) -> Desired:
        """What the compose file and the wishes ask for, of `services` and what they depend on."""
        names = with_dependencies(self.spec, services)
        counts = {name: service.replicas for name, service in self.spec.services.items()}
        counts |= {name: n for name, n in self.wishes.load().replicas.items() if name in counts}
        return Desired(
            spec=self.spec,
            services=names,
            counts=counts,
            digests={name: self.runtime.digest(self.spec.services[name]) for name in names},
            remove_orphans=remove_orphans,
        )

    def applier(self, progress: Progress | None = None) -> Applier:
        return Applier(self.runtime, self.spec, self.admin, progress)


def open_runtime(name: str, spec: Spec, options: Settings) -> Runtime:
    """The runtime called `name` (auto, docker or local) for the project."""
    if name in ("auto", "local"):
        from alpesctl.runtimes.local.runtime import LocalRuntime

        return LocalRuntime(spec, state_dir=options.state_dir, cache_dir=options.cache_dir, java_home=options.java_home)
    if name == "docker":
        raise MachineError(
            "the Docker runtime is not part of this version",
            out="use --runtime local",
        )
    raise UsageError(f"there is no runtime {name!r}", out="--runtime auto, docker or local")
