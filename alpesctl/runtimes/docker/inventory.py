"""What a project has on the engine: containers, networks, volumes, and whose they are. Reads, changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
from docker.errors import NotFound

from alpesctl.errors import ForeignError, StackDownError
from alpesctl.runtimes.base import State
from alpesctl.runtimes.docker import naming, observing
from alpesctl.runtimes.docker.engine import is_local
from alpesctl.stack.model import Spec


class Inventory:
    """Asks the engine anew at every call. Raises what the SDK raises."""

    def __init__(self, api: docker.APIClient, spec: Spec) -> None:
        self._api = api
        self._spec = spec

    def refuse_foreign(self) -> None:
        """Raise ForeignError where another folder made the containers or the data."""
        for found in self.containers():
            self._refuse_another(found, naming.WORKING_DIR, "was started")
        for volume in self.volumes():
            self._refuse_another(volume, naming.FOLDER, "has data that was made")

    def _refuse_another(self, found: Mapping[str, Any], label: str, what: str) -> None:
        """Raise ForeignError where another folder made this, unless that folder is surely gone."""
        folder = (found.get("Labels") or {}).get(label, "")
        if folder and _another(Path(folder), self._spec.directory, on_this_machine=is_local(self._api)):
            raise ForeignError(
                f"the project {self._spec.project} {what} from {folder}",
                why=f"this is {self._spec.directory}, and it is not ours to touch",
                out="run alpesctl down there, or give this one a name of its own: --project-name NAME",
            )

    def volumes(self) -> list[dict[str, Any]]:
        """The project's volumes."""
        found = self._api.volumes(filters={"label": f"{naming.PROJECT}={self._spec.project}"})
        return list(found.get("Volumes") or ())

    def containers(self) -> list[dict[str, Any]]:
        """The replicas' containers as the engine lists them, running or not."""
        found: list[dict[str, Any]] = self._api.containers(
            all=True, filters={"label": naming.of_project(self._spec.project)}
        )
        return found

    def inspect_all(self, services: Collection[str] | None = None) -> list[dict[str, Any]]:
        """All that the engine tells of the replicas of `services` (None: of all)."""
        found = []
        for each in self.containers():
            if services is None or naming.address(each.get("Labels") or {})[0] in services:
                with contextlib.suppress(NotFound):
                    found.append(self._api.inspect_container(each["Id"]))
        return found

    def inspect(self, service: str, number: int) -> dict[str, Any]:
        """The same for one replica; raises StackDownError where there is none."""
        for each in self.containers():
            if naming.address(each.get("Labels") or {}) == (service, number):
                with contextlib.suppress(NotFound):
                    inspected: dict[str, Any] = self._api.inspect_container(each["Id"])
                    return inspected
        raise StackDownError(f"there is no {service}-{number}", out="alpesctl status shows what there is")

    def holders(self) -> dict[int, str]:
        """Ports that a container of the engine publishes, in words."""
        return {port: f"port {port} is held by {name}" for port, name in publishers(self._api).items()}

    def one_offs(self) -> list[dict[str, Any]]:
        """What `docker compose run` started and left."""
        found: list[dict[str, Any]] = self._api.containers(
            all=True, filters={"label": naming.one_off(self._spec.project)}
        )
        return found

    def networks(self) -> list[dict[str, Any]]:
        """The networks that are labelled as the project's."""
        found: list[dict[str, Any]] = self._api.networks(filters={"label": f"{naming.PROJECT}={self._spec.project}"})
        return found

    def network_ids(self) -> set[str]:
        """The ids of the networks that the compose file names, whoever made them."""
        names = {naming.network(self._spec, key) for each in self._spec.services.values() for key in each.networks}
        return {network["Id"] for network in self._api.networks(names=sorted(names))}

    def networks_named(self) -> set[str]:
        """The names of all networks of the engine."""
        return {str(network["Name"]) for network in self._api.networks()}

    def usage(self, inspected: Sequence[observing.Inspected]) -> dict[str, tuple[float, int]]:
        """Container id → CPU in percent of a core, memory in bytes; takes the engine one to two seconds."""
        ids = [each["Id"] for each in inspected if observing.state(each) is State.RUNNING]
        if not ids:
            return {}
        with ThreadPoolExecutor(max_workers=min(32, len(ids))) as pool:
            found = dict(zip(ids, pool.map(self._reading, ids), strict=True))
        return {container: reading for container, reading in found.items() if reading is not None}

    def _reading(self, container: str) -> tuple[float, int] | None:
        try:
            return observing.usage(self._api.stats(container, stream=False))
        except NotFound:
            return None


def publishers(api: docker.APIClient) -> dict[int, str]:
    """Every port that a container publishes on this machine, whosever it is: port → the container, in words."""
    return {
        int(port["PublicPort"]): "the container " + str((each.get("Names") or [each["Id"][:12]])[0]).lstrip("/")
        for each in api.containers()
        for port in each.get("Ports") or ()
        if port.get("PublicPort")
    }


def _another(folder: Path, ours: Path, *, on_this_machine: bool) -> bool:
    """Whether `folder` is another one than `ours`, and not surely gone."""
    if folder == ours:
        return False
    try:
        return folder.resolve() != ours and (folder.stat() is not None)
    except FileNotFoundError:
        return not on_this_machine
    except OSError:  # it may well be there, for somebody else
        return True
