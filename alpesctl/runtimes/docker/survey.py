"""The engine, Compose's plugin, and who holds which port among all containers. Reads, changes nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import docker

from alpesctl.errors import AlpesError
from alpesctl.runtimes.base import Room
from alpesctl.runtimes.disks import room
from alpesctl.runtimes.docker import naming
from alpesctl.runtimes.docker.engine import at_the_edge, connect, is_local
from alpesctl.runtimes.docker.inventory import publishers
from alpesctl.runtimes.survey import Program, Survey
from alpesctl.stack.model import Spec

_TIMEOUT = 5.0


def survey(spec: Spec | None) -> Survey:
    """What there is of Docker on this machine; an engine that is away is part of the answer."""
    try:
        api = connect(timeout=_TIMEOUT)
    except AlpesError as error:
        return Survey((Program("Docker engine", "", error.what, error.out), _compose()))
    try:
        return _survey(api, spec)
    except AlpesError as error:
        return Survey((Program("Docker engine", "", f"{error.what}: {error.why}", error.out), _compose()))
    finally:
        api.close()


@at_the_edge
def _survey(api: docker.APIClient, spec: Spec | None) -> Survey:
    version, info = api.version(), api.info()
    engine = Program("Docker engine", f"{version['Version']}, API {version['ApiVersion']}")
    ours = api.containers(all=True, filters={"label": naming.of_project(spec.project)}) if spec else []
    rooms: tuple[Room, ...] = ()
    if is_local(api):
        rooms = (room("Docker's own folder", Path(str(info["DockerRootDir"]))),)
    return Survey((engine, _compose()), rooms, holders=publishers(api), replicas=len(ours))


def _compose() -> Program:
    out = "apt-get install docker-compose-plugin, where its words are wanted too; alpesctl needs none"
    if shutil.which("docker") is None:
        return Program("Compose plugin", "", "there is no docker command", out, needed=False)
    try:
        done = subprocess.run(
            ["docker", "compose", "version", "--format", "json"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
        return Program("Compose plugin", str(json.loads(done.stdout)["version"]), needed=False)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return Program("Compose plugin", "", "docker compose does not answer", out, needed=False)
