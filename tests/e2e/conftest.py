"""One stack for all end-to-end tests: real Pulsar, PostgreSQL and nginx, in a project and on ports of its own."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alpesctl.project import Project, Where
from alpesctl.runtimes.base import Replica

ROOT = Path(__file__).resolve().parents[2]
ALPESCTL = Path(sys.executable).parent / "alpesctl"
EVENT = {
    "interaction_type": "click",
    "target_element_id": "123",
    "target_element_type": "button",
    "campaign_id": "123",
}


@dataclass
class Done:
    """A finished call of the command line."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def data(self) -> Any:
        return json.loads(self.stdout)["data"]


@dataclass
class Stack:
    """The running stack, and how a user reaches it."""

    project_name: str
    env_file: Path
    records: Path

    def run(self, *words: str, timeout: float = 300, cwd: Path = ROOT) -> Done:
        """alpesctl as a user calls it."""
        done = subprocess.run(
            [ALPESCTL, "--project-name", self.project_name, "--env-file", self.env_file, *words],
            cwd=cwd,
            env={**os.environ, "ALPES_RECORDS_DIR": str(self.records)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, timeout: float = 300) -> Done:
        """As `run`, and it must succeed."""
        done = self.run(*words, timeout=timeout)
        assert done.exit_code == 0, f"alpesctl {' '.join(words)}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return done

    def project(self) -> Project:
        return Project(Where(project_name=self.project_name, env_file=self.env_file), start=ROOT)

    def replica(self, service: str, number: int = 1, *, with_health: bool = True) -> Replica:
        found = self.project().runtime.replicas([service], with_health=with_health)
        return next(r for r in found if r.number == number)

    def url(self, service: str, port: int, path: str = "") -> str:
        return f"http://{self.project().runtime.endpoint(service, port)}{path}"

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        endpoint = self.project().runtime.endpoint("tracking_db", 5432)
        with psycopg.connect(f"postgresql://app:app@{endpoint}/app", autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]

    def daily(self) -> dict[tuple[str, str], int]:
        """The daily statistics as the service tells them: (day, status) → count."""
        with urllib.request.urlopen(self.url("tracking", 8010, "/tracking/stats/daily"), timeout=10) as answer:
            return {(item["day"], item["status"]): item["count"] for item in json.load(answer)["items"]}

    def counted(self, status: str = "ok") -> int:
        return sum(count for (_, found), count in self.daily().items() if found == status)

    def post(self, body: object = EVENT, **headers: str) -> tuple[int, dict[str, Any]]:
        """POST an interaction through nginx: status and body."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = self.url("tracking_nginx", 8040, "/tracking/interactions")
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, sent), timeout=15) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def free_range(count: int) -> str:
    """A range of so many loopback ports outside those handed out for outgoing connections, all free now."""
    for first in range(18_000, 30_000, count):
        probes = [socket.socket() for _ in range(count)]
        try:
            for offset, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
        return f"{first}-{first + count - 1}"
    raise AssertionError("no free range of ports")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    pulsar, admin, database, nginx = free_ports(4)
    env_file = folder / "env"
    env_file.write_text(
        (ROOT / ".env").read_text()
        + f"\nPULSAR_PORT={pulsar}\nPULSAR_ADMIN_PORT={admin}\nTRACKING_DB_PORT={database}\n"
        + f"TRACKING_NGINX_PORT={nginx}\nTRACKING_PORTS={free_range(20)}\n"
    )
    name = f"alpestest-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
    made = Stack(name, env_file, folder)
    made.run("down", "--volumes", "--yes")
    made.ok("up")
    yield made
    made.ok("down", "--volumes", "--yes")
