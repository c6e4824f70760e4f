"""How Compose names and labels what it makes, so that Docker's own tools and ours work on the same things.

Source: docker/compose v2, the labels under `com.docker.compose.`. Talks to no engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version

from alpesctl.stack.model import Network, Service, Spec, Volume

_COMPOSE = "com.docker.compose."
PROJECT = _COMPOSE + "project"
SERVICE = _COMPOSE + "service"
NUMBER = _COMPOSE + "container-number"
ONE_OFF = _COMPOSE + "oneoff"
WORKING_DIR = _COMPOSE + "project.working_dir"
CONFIG_FILES = _COMPOSE + "project.config_files"
CONFIG_HASH = _COMPOSE + "config-hash"
IMAGE = _COMPOSE + "image"
DEPENDS_ON = _COMPOSE + "depends_on"
VERSION = _COMPOSE + "version"
NETWORK = _COMPOSE + "network"
VOLUME = _COMPOSE + "volume"
# Our own: the digest that the planner compares. Compose's hash is Compose's to compute.
DIGEST = "alpesctl.digest"
# And whose a volume is: Compose notes the folder on containers only, which `down` removes.
FOLDER = "alpesctl.working_dir"

_NETWORK, _VOLUME = Network(), Volume()


def container(project: str, service: str, number: int) -> str:
    """The container's name: `project-service-number`."""
    return f"{project}-{service}-{number}"


def network(spec: Spec, key: str) -> str:
    """The name of the network that the compose file calls `key`."""
    return spec.networks.get(key, _NETWORK).name or f"{spec.project}_{key}"


def volume(spec: Spec, key: str) -> str:
    """The name of the volume that the compose file calls `key`."""
    return spec.volumes.get(key, _VOLUME).name or f"{spec.project}_{key}"


def of_project(project: str) -> list[str]:
    """The label filters by which the project's containers are found; one-off ones aren't among them."""
    return [f"{PROJECT}={project}", CONFIG_HASH, f"{ONE_OFF}=False"]


def one_off(project: str) -> list[str]:
    """The label filters of what `docker compose run` started."""
    return [f"{PROJECT}={project}", f"{ONE_OFF}=True"]


def container_labels(spec: Spec, service: Service, number: int, *, digest: str, image_id: str) -> dict[str, str]:
    """All labels of a container. The hash is ours: `docker compose up` afterwards makes the container anew."""
    restart = "false"
    return {
        **service.labels,
        PROJECT: spec.project,
        SERVICE: service.name,
        NUMBER: str(number),
        ONE_OFF: "False",
        WORKING_DIR: str(spec.directory),
        CONFIG_FILES: str(spec.files[0]) if spec.files else "",
        CONFIG_HASH: hashlib.sha256(digest.encode()).hexdigest(),
        IMAGE: image_id,
        DEPENDS_ON: ",".join(f"{d.service}:{d.condition}:{restart}" for d in service.depends_on),
        VERSION: version("alpesctl"),
        DIGEST: digest,
    }


def resource_labels(spec: Spec, kind: str, key: str) -> dict[str, str]:
    """The labels of a network or volume (`kind` is NETWORK or VOLUME). Never a hash: Compose would offer to
    delete the data of a volume whose hash isn't the one it computes."""
    return {PROJECT: spec.project, kind: key, VERSION: version("alpesctl"), FOLDER: str(spec.directory)}


def address(labels: Mapping[str, str]) -> tuple[str, int]:
    """A container's service and number, from its labels."""
    number = labels.get(NUMBER, "1")
    return labels.get(SERVICE, ""), int(number) if number.isdigit() else 1


def replica(labels: Mapping[str, str]) -> str:
    """The name of a container's replica within its project: `service-number`."""
    return "{}-{}".format(*address(labels))
