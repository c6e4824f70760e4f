"""What local replicas are doing: state, health, usage, from records, supervisor and the processes. Changes nothing."""

from __future__ import annotations

import dataclasses
import subprocess
import time
import urllib.request
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

from alpesctl.runtimes.base import Endpoint, Health, Replica, State
from alpesctl.runtimes.local import processes, supervision
from alpesctl.runtimes.local.state import ProjectState, ReplicaRecord
from alpesctl.runtimes.local.supervision import Supervisor
from alpesctl.runtimes.loopback import LOOPBACK
from alpesctl.stack.model import Spec

_STATES = {
    supervision.STARTING: State.RUNNING,
    supervision.RUNNING: State.RUNNING,
    supervision.STOPPING: State.RUNNING,
    supervision.BACKOFF: State.RESTARTING,
}
_SHORTEST_MEASURE = 0.2  # seconds over which CPU time is measured


class Observer:
    """Reads replicas as they are now."""

    def __init__(self, spec: Spec, state: ProjectState, supervisor: Supervisor) -> None:
        self._spec = spec
        self._state = state
        self._supervisor = supervisor

    def replicas(self, services: Collection[str] | None, *, with_usage: bool, with_health: bool) -> list[Replica]:
        """The created replicas of `services` (None: of all), in order of service and number."""
        info = self._supervisor.info()
        records = [r for r in self._state.records() if services is None or r.service in services]
        first = {r.program: processes.usage(info.get(r.program, {}).get("pid")) for r in records} if with_usage else {}
        started = time.monotonic()
        healths = self._healths(records, info) if with_health else {}
        if with_usage:
            time.sleep(max(0.0, _SHORTEST_MEASURE - (time.monotonic() - started)))
        elapsed = time.monotonic() - started
        found = []
        for record in records:
            replica = self._replica(record, info.get(record.program, {}), healths.get(record.program, Health.NONE))
            if with_usage and replica.pid:
                cpu, memory = processes.usage(replica.pid)
                percent = round(100 * (cpu - first[record.program][0]) / elapsed, 1)
                replica = dataclasses.replace(replica, cpu_percent=percent, memory_bytes=memory)
            found.append(replica)
        return found

    def replica(self, record: ReplicaRecord) -> Replica:
        """One replica, its health left out."""
        return self._replica(record, self._supervisor.info().get(record.program, {}), Health.NONE)

    def exit_code(self, program: str) -> int:
        """How the program ended last: its exit code, 128 + n after signal n."""
        status = int(self._supervisor.info().get(program, {}).get("exitstatus", 0))
        return self._exit_code(program, status)

    def _replica(self, record: ReplicaRecord, entry: Mapping[str, Any], health: Health) -> Replica:
        number = int(entry.get("state", supervision.STOPPED))
        pid = int(entry.get("pid", 0)) or None
        start, stop = int(entry.get("start", 0)), int(entry.get("stop", 0))
        state = _STATES.get(number, State.EXITED)
        if number == supervision.EXITED and record.autorestart:
            state = State.RESTARTING
        elif state is State.EXITED and start == 0:
            state = State.CREATED
        elif state is State.RUNNING and processes.is_frozen(pid):
            state = State.PAUSED
        exit_code = None
        if state is State.EXITED and stop:
            exit_code = self._exit_code(record.program, int(entry.get("exitstatus", 0)))
        return Replica(
            service=record.service,
            number=record.number,
            state=state,
            digest=record.digest,
            health=health if state is State.RUNNING else Health.NONE,
            exit_code=exit_code,
            started_at=datetime.fromtimestamp(start, UTC) if start else None,
            pid=pid if state in (State.RUNNING, State.PAUSED) else None,
            restarts=self._state.restarts(record.service, record.number),
            endpoints=tuple((int(c), Endpoint(LOOPBACK, p)) for c, p in sorted(record.ports.items())),
        )

    def _exit_code(self, program: str, status: int) -> int:
        if status >= 0:
            return status
        number = self._supervisor.last_signal(program)
        return 128 + number if number else 255

    def _healths(self, records: Collection[ReplicaRecord], info: Mapping[str, Mapping[str, Any]]) -> dict[str, Health]:
        with ThreadPoolExecutor(max_workers=16) as pool:
            checks = {r.program: pool.submit(self._health, r, info.get(r.program)) for r in records}
            return {program: check.result() for program, check in checks.items()}

    def _health(self, record: ReplicaRecord, entry: Mapping[str, Any] | None) -> Health:
        if not record.health_url and not record.health_command:
            return Health.NONE
        if entry is None or entry["state"] not in (supervision.STARTING, supervision.RUNNING):
            return Health.NONE
        if processes.is_frozen(int(entry["pid"])):
            return Health.UNHEALTHY
        if self._check(record):
            return Health.HEALTHY
        service = self._spec.services.get(record.service)
        grace = service.health.start_period if service and service.health else 0.0
        young = time.time() - int(entry["start"]) < grace
        return Health.STARTING if young else Health.UNHEALTHY

    def _check(self, record: ReplicaRecord) -> bool:
        if record.health_url:
            try:
                with urllib.request.urlopen(record.health_url, timeout=record.health_timeout) as answer:
                    return bool(answer.status == 200)
            except (OSError, HTTPException):
                return False
        environment, cwd = self._state.launch(record.service, record.number)
        try:
            done = subprocess.run(
                record.health_command,
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=record.health_timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0
