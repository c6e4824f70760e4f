"""One project as the commands use it: its spec, its runtime, its broker, and what is wished for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alpesctl.errors import UsageError
from alpesctl.journal import Journal, undo
from alpesctl.locks import Locks
from alpesctl.pulsar_admin import PulsarAdmin
from alpesctl.reconcile.observed import Observed, observe
from alpesctl.reconcile.plan import Desired, with_dependencies
from alpesctl.reconcile.wishes import WishFile
from alpesctl.runtimes.base import Runtime
from alpesctl.runtimes.choosing import Chosen, LastUp, choose
from alpesctl.settings import process_environment, settings
from alpesctl.stack.load import load
from alpesctl.stack.model import Spec

if TYPE_CHECKING:
    from alpesctl.reconcile.apply import Applier, Progress


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
        self._start = start or Path.cwd()
        # A stack that declares none (any more) can't use any, whatever was wished for.
        self.spec: Spec = self.load(stand_ins=lambda name: self._wishes_of(name).load().stand_ins)

    def load(self, *, stand_ins: bool | Callable[[str], bool] = False) -> Spec:
        """The spec as the compose file has it, with the stand-ins' names for its images or without; a callable is
        asked with the project's name."""
        return load(
            start=self._start,
            environment=process_environment(),
            file=self._where.file,
            project_name=self._where.project_name,
            env_file=self._where.env_file,
            stand_ins=stand_ins,
        )

    @cached_property
    def chosen(self) -> Chosen:
        """The runtime that was asked for, or that the project is on; raises MachineError where there is none."""
        return choose(self._where.runtime or self._settings.runtime, self.spec, self._settings)

    @property
    def runtime(self) -> Runtime:
        return self.chosen.runtime

    @cached_property
    def last_up(self) -> LastUp:
        return LastUp(self._settings.state_dir, self.spec.project)

    @property
    def cache_dir(self) -> Path:
        return self._settings.cache_dir

    def use_stand_ins(self, wanted: bool) -> None:
        """Have the images that were built here stand in for those of the compose file, from now on, or not."""
        self.with_stand_ins(wanted)
        if wanted != self.wishes.load().stand_ins:
            self.wishes.use_stand_ins(wanted)

    def with_stand_ins(self, wanted: bool) -> None:
        """The same for this command only."""
        self.spec = self.load(stand_ins=wanted)
        self.__dict__.pop("chosen", None)  # it was opened for the other images

    @cached_property
    def locks(self) -> Locks:
        """Who may change the project when."""
        return Locks(self._settings.state_dir, self.spec.project)

    @property
    def journal(self) -> Journal:
        """What faults did to the stack and did not undo yet."""
        return Journal(self._settings.state_dir / f"{self.spec.project}.faults.json")

    def undo_left_faults(self) -> list[str]:
        """Undo what a run that was killed left behind, in words; a run that goes on keeps its own."""
        journal = self.journal
        if not journal.entries() or self.locks.running():
            return []
        with self.locks.shaping():
            return undo(journal, self.runtime)

    @property
    def records(self) -> Path:
        """The folder under which `runs/` lies."""
        return self._settings.records_dir or self.spec.directory

    @cached_property
    def wishes(self) -> WishFile:
        return self._wishes_of(self.spec.project)

    def _wishes_of(self, project: str) -> WishFile:
        return WishFile(self._settings.state_dir / project / "wishes.json")

    def admin(self, *, timeout: float = 10.0) -> PulsarAdmin:
        """A client of the broker's admin endpoint, `timeout` in seconds an answer; raises StackDownError while
        there is none."""
        pulsar = self.spec.pulsar
        if pulsar is None:
            raise UsageError("this stack declares no Pulsar", out="add x-alpes.pulsar to the compose file")
        endpoint = self.runtime.endpoint(pulsar.service, pulsar.admin_port)
        return PulsarAdmin(f"http://{endpoint}", pulsar.namespace, timeout=timeout)

    def observe(self, *, with_usage: bool = False) -> Observed:
        """One snapshot; the broker is asked only while it runs."""
        declared = self.spec.pulsar.retentions if self.spec.pulsar else {}
        with_retention = bool(declared or self.wishes.load().retention)
        return observe(self.runtime, self.spec, self.admin, with_usage=with_usage, with_retention=with_retention)

    def counts(self) -> dict[str, int]:
        """How many replicas of each service are wanted: the compose file's, or those wished for."""
        counts = {name: service.replicas for name, service in self.spec.services.items()}
        return counts | {name: n for name, n in self.wishes.load().replicas.items() if name in counts}

    def desired(self, services: Collection[str] = (), *, remove_orphans: bool = False) -> Desired:
        """What the compose file and the wishes ask for, of `services` and what they depend on."""
        names = with_dependencies(self.spec, services)
        wishes = self.wishes.load()
        return Desired(
            spec=self.spec,
            services=names,
            counts=self.counts(),
            digests={name: self.runtime.digest(self.spec.services[name]) for name in names},
            remove_orphans=remove_orphans,
            partitions=wishes.partitions,
            retention=wishes.retention,
        )

    def applier(self, progress: Progress | None = None) -> Applier:
        from alpesctl.reconcile.apply import Applier

        return Applier(self.runtime, self.spec, self.admin, progress)
