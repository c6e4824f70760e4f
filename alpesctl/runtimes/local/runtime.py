"""The local runtime: carries the protocol out on processes. Decides nothing."""

from __future__ import annotations

import contextlib
import shutil
import signal as signals
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import psutil

from alpesctl.errors import ForeignError, MachineError, StackDownError, UnhealthyError, UsageError
from alpesctl.runtimes.base import Call, Endpoint, ExecResult, LogLine, Replica, Report, Room, State, in_order
from alpesctl.runtimes.disks import room
from alpesctl.runtimes.local import execution, logs, processes, shell
from alpesctl.runtimes.local.observing import Observer
from alpesctl.runtimes.local.ports import PortBook
from alpesctl.runtimes.local.recipes import nginx, recipe
from alpesctl.runtimes.local.recipes.base import Context
from alpesctl.runtimes.local.state import ProjectState, ReplicaRecord, write_json
from alpesctl.runtimes.local.supervision import BACKOFF, EXITED, RUNNING, STARTING, STOPPED, STOPPING, Supervisor
from alpesctl.runtimes.loopback import LOOPBACK, holder, is_free
from alpesctl.stack.digest import digest as service_digest
from alpesctl.stack.digest import of_sources
from alpesctl.stack.model import Service, Spec

_POLL = 0.01
_RESPAWN = 5.0  # seconds within which supervisor starts again what died by itself


class LocalRuntime:
    """Processes of this machine, one supervisord a project."""

    name = "local"
    uses_images = False

    def __init__(self, spec: Spec, *, state_dir: Path, cache_dir: Path, java_home: Path | None = None) -> None:
        self._spec = spec
        self._state = ProjectState(state_dir, spec.project)
        self._supervisor = Supervisor(self._state)
        self._observer = Observer(spec, self._state, self._supervisor)
        self._ports = PortBook(self._state)
        self._cache = cache_dir
        self._java_home = java_home
        self._refuse_foreign()

    def _refuse_foreign(self) -> None:
        owner = self._state.owner()
        if owner is None or owner == self._spec.directory or not owner.is_dir() or not self._anything_runs():
            return
        raise self._foreign(owner)

    def _foreign(self, owner: Path) -> ForeignError:
        return ForeignError(
            f"the project {self._spec.project} was started from {owner}",
            why=f"this is {self._spec.directory}, and its stack is not ours to touch",
            out="run alpesctl down there, or give this one a name of its own: --project-name NAME",
        )

    def _anything_runs(self) -> bool:
        return self._supervisor.running() or any(self._leftovers(record) for record in self._state.records())

    def _leftovers(self, record: ReplicaRecord) -> list[psutil.Process]:
        """What runs of a replica although supervisord is gone."""
        launched = self._state.launched(record.service, record.number)
        return processes.group(*launched) if launched else []

    # -- preparing -------------------------------------------------------------------------------

    def prepare(
        self,
        spec: Spec,
        services: Collection[str] | None = None,
        report: Report | None = None,
        *,
        rebuild: bool = False,
    ) -> None:
        """Fetch what the recipes need; start supervisord, once what a killed one left behind is gone.

        Raises ComposeError before anything changes where a service can't be run as it is described."""
        wanted = [service for name, service in spec.services.items() if services is None or name in services]
        for service in wanted:
            if service.replicas:
                recipe(service.recipe).check(service)
        self._state.claim(spec.directory)
        names = {service.recipe for service in wanted}
        with ThreadPoolExecutor() as pool:
            for done in [
                pool.submit(recipe(name).prepare, self._state, self._cache, self._java_home) for name in names
            ]:
                done.result()
        if not self._supervisor.running():
            self._reap()
            self._supervisor.ensure()

    def _reap(self, records: Iterable[ReplicaRecord] | None = None) -> None:
        """End what a killed supervisord left behind of these replicas, or of all."""
        chosen = self._state.records() if records is None else records
        left = [process for record in chosen for process in self._leftovers(record)]
        whole = {p.pid: p for process in left for p in processes.tree(process.pid)}
        processes.kill(list(whole.values()))

    def digest(self, service: Service) -> str:
        """Addresses are written into a replica here, so the ports of the services it names count too, and of the
        broker where the stack says that it listens; and where no image holds its code, the code itself does."""
        words = " ".join((*service.environment.values(), *service.command))
        named = sorted(name for name in self._spec.services if name != service.name and name in words)
        ports = {name: (self._spec.services[name].ports, self._spec.services[name].external) for name in named}
        broker = self._spec.pulsar
        listens = f" {broker.broker_port} {broker.admin_port}" if broker and broker.service == service.name else ""
        return service_digest(service, addresses=f"{ports}{listens}", sources=of_sources(service.sources))

    # -- observing -------------------------------------------------------------------------------

    def replicas(
        self, services: Collection[str] | None = None, *, with_usage: bool = False, with_health: bool = True
    ) -> list[Replica]:
        return self._observer.replicas(services, with_usage=with_usage, with_health=with_health)

    # -- changing --------------------------------------------------------------------------------

    def create(self, service: Service, number: int) -> None:
        self._supervisor.ensure()
        folder = self._state.replica_folder(service.name, number)
        folder.mkdir(parents=True, exist_ok=True)
        launch = recipe(service.recipe).launch(self._context(service, number))
        record = ReplicaRecord(
            service=service.name,
            number=number,
            digest=self.digest(service),
            recipe=service.recipe,
            autorestart=service.restart in ("unless-stopped", "always"),
            on_failure=service.restart.startswith("on-failure"),
            one_shot=service.one_shot,
            stop_signal=service.stop_signal or "SIGTERM",
            stop_grace=service.stop_grace,
            ports={str(container): port for container, port in launch.ports.items()},
            health_url=launch.health_url if service.health else "",
            health_command=launch.health_command if service.health else [],
            health_timeout=service.health.timeout if service.health else 5.0,
        )
        body = {
            "argv": launch.argv,
            "environment": launch.environment,
            "cwd": str(launch.cwd),
            "uid": launch.uid,
            "gid": launch.gid,
        }
        write_json(folder / "launch.json", body, mode=0o600)
        self._state.save(record)
        self._supervisor.add(record, folder)

    def _context(self, service: Service, number: int) -> Context:
        return Context(
            spec=self._spec,
            service=service,
            number=number,
            folder=self._state.replica_folder(service.name, number),
            state=self._state,
            ports=self._ports,
            cache=self._cache,
            java_home=self._java_home,
        )

    def start(self, service: str, number: int) -> None:
        record = self._record(service, number)
        self._supervisor.ensure()
        if self._pid(record) is None:
            for port in record.ports.values():
                if not is_free(port) and not self._leftovers(record):
                    raise MachineError(
                        f"{record.program} can't be started", why=holder(port), out="end that program first"
                    )
            self._routes_of(record)
            self._state.forget_restarts(service, number)
        self._supervisor.start(record.program)

    def stop(self, service: str, number: int, *, grace: float | None = None) -> int | None:
        record = self._record(service, number)
        pid = self._pid_for_good(record)
        if pid is None:
            return None
        whole = processes.tree(pid)
        processes.thaw(pid)
        self._supervisor.stop(record.program, wait=False)
        allowed = record.stop_grace if grace is None else grace
        processes.kill(processes.wait_gone(whole, timeout=allowed))
        self._until_down(record)
        return self._observer.exit_code(record.program)

    def kill(self, service: str, number: int) -> None:
        record = self._record(service, number)
        pid = self._pid_for_good(record)
        if pid is None:
            return
        self._kill(record, pid)
        self._until_down(record)

    def _kill(self, record: ReplicaRecord, pid: int) -> None:
        # Frozen, the process can't handle the stop signal that tells supervisor to leave it down;
        # the first thing that happens to it is SIGKILL.
        whole = processes.freeze(pid)
        self._supervisor.stop(record.program, wait=False)
        processes.kill(whole)

    def _pid_for_good(self, record: ReplicaRecord) -> int | None:
        """The process id, or None once supervisor won't start the replica again by itself."""
        deadline = time.monotonic() + _RESPAWN
        while True:
            entry = self._supervisor.info().get(record.program, {})
            state = entry.get("state")
            if state in (STARTING, RUNNING, STOPPING):
                return int(entry["pid"]) or None
            if state == BACKOFF:
                self._supervisor.stop(record.program, wait=False)
            elif state != EXITED or not record.autorestart or time.monotonic() > deadline:
                return None
            time.sleep(_POLL)

    def _until_down(self, record: ReplicaRecord) -> None:
        """Wait until supervisor knows that the replica is down, and leaves it so.

        One that died just before it was told to stop is started again by supervisor; that one is ended too.
        """
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            entry = self._supervisor.info().get(record.program, {})
            state = entry.get("state")
            if state in (STARTING, RUNNING):
                self._kill(record, int(entry["pid"]))
            elif state == BACKOFF:
                self._supervisor.stop(record.program, wait=False)
            elif state != STOPPING and (state != EXITED or not record.autorestart):
                return
            time.sleep(_POLL)
        raise UnhealthyError(f"{record.program} does not end", out="alpesctl down, then alpesctl up")

    def signal(self, service: str, number: int, signal: str) -> None:
        if not hasattr(signals, signal):
            raise UsageError(f"{signal} is no signal", out="write it as SIGTERM")
        self._supervisor.signal(self._record(service, number).program, signal)

    def pause(self, service: str, number: int) -> None:
        processes.freeze(self._pid(self._record(service, number)))

    def unpause(self, service: str, number: int) -> None:
        processes.thaw(self._pid(self._record(service, number)))

    def remove(self, service: str, number: int) -> None:
        record = self._record(service, number)
        if self._supervisor.running():
            self._supervisor.remove(record.program)
        else:
            self._reap([record])
        shutil.rmtree(self._state.replica_folder(service, number), ignore_errors=True)

    def volumes(self) -> list[str]:
        folder = self._state.volumes_folder
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def remove_volumes(self) -> list[str]:
        owner = self._state.owner()
        if owner is not None and owner != self._spec.directory and owner.is_dir():
            raise self._foreign(owner)
        names = self.volumes()
        shutil.rmtree(self._state.volumes_folder, ignore_errors=True)
        return names

    def teardown(self) -> None:
        self._supervisor.shutdown()
        self._reap()
        self._state.forget()

    def refresh_routes(self) -> None:
        for record in self._state.records():
            if record.recipe == "nginx" and self._routes_of(record) and self._pid(record):
                self._supervisor.signal(record.program, "SIGHUP")

    def _routes_of(self, record: ReplicaRecord) -> bool:
        """Write nginx's file for the present replicas; whether it changed."""
        service = self._spec.services.get(record.service)
        if record.recipe != "nginx" or service is None:
            return False
        context = self._context(service, record.number)
        source = context.bound_file(nginx.CONFIGURATION)
        wanted = nginx.servers(source.read_text()) if source else set()
        upstreams: dict[tuple[str, int], list[int]] = {pair: [] for pair in wanted}
        info = self._supervisor.info()
        for other in self._state.records():
            # A replica that died by itself comes back at the same address; nginx's own checks skip it.
            if info.get(other.program, {}).get("state") in (STOPPED, STOPPING, None):
                continue
            for container, port in other.ports.items():
                if (other.service, int(container)) in upstreams:
                    upstreams[other.service, int(container)].append(port)
        published = {int(c): p for c, p in record.ports.items()}
        return nginx.write_configuration(context, published, upstreams)

    def wait(self, service: str, number: int, *, timeout: float) -> int:
        record = self._record(service, number)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            replica = self._observer.replica(record)
            if replica.state is State.EXITED:
                return replica.exit_code or 0
            time.sleep(0.05)
        raise UnhealthyError(
            f"{record.program} did not end within {timeout:.0f} s",
            out=f"alpesctl logs {service} shows what it does",
        )

    # -- in a shell ------------------------------------------------------------------------------

    def shell(self, call: Call, service: str, number: int) -> list[str]:
        return shell.lines(self._state, self._spec, call, service, number, self._pid_of(service, number))

    def _pid_of(self, service: str, number: int) -> int | None:
        record = self._state.record(service, number)
        return self._pid(record) if record else None

    def shell_exec(self, service: str, number: int, command: Sequence[str]) -> str:
        environment, cwd = self._state.launch(service, number)
        return shell.beside(environment, cwd, command)

    # -- reading ---------------------------------------------------------------------------------

    def logs(
        self,
        services: Sequence[str],
        *,
        since: datetime | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> Iterator[LogLine]:
        def files() -> dict[str, Path]:
            return {
                record.program: self._state.replica_folder(record.service, record.number) / "out.log"
                for record in self._state.records()
                if not services or record.service in services
            }

        there = files()
        # What is written while the past is read comes after it.
        ends = logs.ends(there) if follow else {}
        yield from in_order(
            logs.read(name, path, since=since, tail=tail, end=ends.get(name)) for name, path in there.items()
        )
        if follow:
            yield from logs.follow(files, ends)

    def exec(self, service: str, number: int, command: Sequence[str], *, timeout: float = 60.0) -> ExecResult:
        self._record(service, number)
        return execution.execute(*self._state.launch(service, number), command, timeout=timeout)

    def attach(self, service: str, number: int, command: Sequence[str], *, terminal: bool) -> int:
        self._record(service, number)
        return execution.attach(*self._state.launch(service, number), command, terminal=terminal)

    def rooms(self) -> list[Room]:
        mounts = {mount.source: name for name, each in self._spec.services.items() for mount in each.mounts}
        found = []
        for volume, service in sorted(mounts.items()):
            folder = self._state.volume_folder(volume)
            if folder.is_dir():
                found.append(room(f"{service}'s data ({volume})", folder))
        return found

    def endpoint(self, service: str, container_port: int, number: int | None = None) -> Endpoint:
        declared = self._spec.services.get(service)
        wanted = declared.facing(container_port) if declared else container_port
        records = [r for r in self._state.records() if r.service == service and number in (None, r.number)]
        if len(records) > 1:
            info = self._supervisor.info()
            records.sort(key=lambda r: info.get(r.program, {}).get("state") != RUNNING)
        for record in records:
            with contextlib.suppress(KeyError):
                return Endpoint(LOOPBACK, record.ports[str(wanted)])
        raise StackDownError(
            f"{service} is not up" if not records else f"{service} does not listen on {container_port}",
            out="alpesctl up",
        )

    def _record(self, service: str, number: int) -> ReplicaRecord:
        record = self._state.record(service, number)
        if record is None:
            raise StackDownError(f"there is no {service}-{number}", out="alpesctl status shows what there is")
        return record

    def _pid(self, record: ReplicaRecord) -> int | None:
        entry = self._supervisor.info().get(record.program, {})
        running = entry.get("state") in (STARTING, RUNNING, STOPPING)
        return int(entry["pid"]) or None if running else None
