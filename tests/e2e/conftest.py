"""One stack a runtime for all end-to-end tests, of real programs, in a project and on ports of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alpesctl.project import Project, Where
from alpesctl.runtimes.base import Replica
from tests.engine import RUNTIMES
from tests.ports import free_ports, free_range
from tests.waiting import until_none

ROOT = Path(__file__).resolve().parents[2]
ALPESCTL = Path(sys.executable).parent / "alpesctl"
OWN_IMAGE = "alpespartners/services:tests"
# A row for each session that waits for a lock.
HELD_UP = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
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

    runtime: str
    project_name: str
    env_file: Path
    records: Path

    def command(self, *words: str) -> list[str]:
        """The words of a call, with those that name this stack."""
        return [str(ALPESCTL), "--project-name", self.project_name, "--env-file", str(self.env_file), *words]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "ALPES_RUNTIME": self.runtime, "ALPES_RECORDS_DIR": str(self.records)}

    def run(self, *words: str, timeout: float = 300, cwd: Path = ROOT) -> Done:
        """alpesctl as a user calls it."""
        done = subprocess.run(
            self.command(*words),
            cwd=cwd,
            env=self.environment,
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
        where = Where(project_name=self.project_name, env_file=self.env_file, runtime=self.runtime)
        return Project(where, start=ROOT)

    def replica(self, service: str, number: int = 1, *, with_health: bool = True) -> Replica:
        found = self.project().runtime.replicas([service], with_health=with_health)
        return next(r for r in found if r.number == number)

    def url(self, service: str, port: int, path: str = "") -> str:
        return f"http://{self.project().runtime.endpoint(service, port)}{path}"

    def sql(self, statement: str, *parameters: object, database: str = "tracking_db") -> list[tuple[Any, ...]]:
        endpoint = self.project().runtime.endpoint(database, 5432)
        with psycopg.connect(f"postgresql://app:app@{endpoint}/app", autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()  # type: ignore[arg-type]

    def daily(self) -> dict[tuple[str, str], int]:
        """The daily statistics as the service tells them: (day, status) → count."""
        with urllib.request.urlopen(self.url("tracking", 8010, "/tracking/stats/daily"), timeout=10) as answer:
            return {(item["day"], item["status"]): item["count"] for item in json.load(answer)["items"]}

    def counted(self, status: str = "ok") -> int:
        return sum(count for (_, found), count in self.daily().items() if found == status)

    def settled(self) -> int:
        """How many are counted as ok once nothing waits any more: what a test before left on its way is in it."""
        project = self.project()
        spec, found = project.spec, [-1]

        def unrest() -> str:
            assert spec.pulsar is not None
            topic = next(topic for topic in spec.pulsar.topics if topic.consumers)
            backlog = project.admin().stats(topic.name).backlog(topic.subscription)
            outbox = self.sql("SELECT count(*) FROM outbox")[0][0]
            found.append(self.counted() if backlog + outbox == 0 else -1)
            if found[-1] == found[-2] != -1:
                return ""
            return f"{topic.name}: {backlog} wait; outbox: {outbox}; counted: {found[-2:]}"

        until_none(unrest, within=60, what="an empty backlog and counters at rest")
        return found[-1]

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


@contextmanager
def made(runtime: str, folder: Path, images: Mapping[str, str], name: str) -> Iterator[Stack]:
    """A project and ports of its own; nothing of it is there before or after. `images` are those that the compose file
    is to find on an engine."""
    pulsar, admin, database, nginx, affiliates_db = free_ports(5)
    # The product's own image has a name of the tests' own: the user's stays as it is.
    own = {**images, "ALPES_SERVICES_IMAGE": OWN_IMAGE} if runtime == "docker" else {}
    env_file = folder / "env"
    env_file.write_text(
        (ROOT / ".env").read_text()
        + f"\nPULSAR_PORT={pulsar}\nPULSAR_ADMIN_PORT={admin}\nTRACKING_DB_PORT={database}\n"
        + f"TRACKING_NGINX_PORT={nginx}\nTRACKING_PORTS={free_range(20)}\n"
        + f"TRACKING_WORKER_PORTS={free_range(20, 24_000)}\n"
        + f"AFFILIATES_DB_PORT={affiliates_db}\nAFFILIATES_PORTS={free_range(10, 27_000)}\n"
        + f"AFFILIATES_WORKER_PORTS={free_range(10, 28_000)}\n"
        + "".join(f"{variable}={image}\n" for variable, image in own.items())
    )
    place = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    stack = Stack(runtime, f"alpestest-{name}-{place}", env_file, folder)
    stack.run("down", "--volumes", "--yes")
    try:
        yield stack
    finally:
        stack.ok("down", "--volumes", "--yes")


@pytest.fixture(scope="session", params=RUNTIMES)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    runtime: str = request.param
    images = request.getfixturevalue("images") if runtime == "docker" else {}
    with made(runtime, tmp_path_factory.mktemp("stack"), images, runtime) as stack:
        # An image from before the last change of the product would be tested in its place.
        stack.ok("up", *(["--build"] if runtime == "docker" else []), timeout=900)
        yield stack


@pytest.fixture
def database(stack: Stack) -> Iterator[str]:
    """An empty database of its own, as `USER:PASSWORD@SERVER/NAME`."""
    server = f"app:app@{stack.project().runtime.endpoint('tracking_db', 5432)}"
    name = f"test_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(f"postgresql://{server}/app", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
