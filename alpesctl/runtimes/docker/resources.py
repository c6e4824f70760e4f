"""The networks and volumes of a project on the engine: makes what is missing, removes what is the project's."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import docker
from docker.errors import APIError, NotFound

from alpesctl.errors import MachineError
from alpesctl.runtimes.docker import naming
from alpesctl.runtimes.docker.inventory import Inventory
from alpesctl.stack.model import Network, Spec, Volume


class Resources:
    """What containers are attached to. Raises what the SDK raises, unless said otherwise."""

    def __init__(self, api: docker.APIClient, spec: Spec, there: Inventory) -> None:
        self._api = api
        self._spec = spec
        self._there = there

    def ensure_network(self, key: str) -> None:
        """Make the network that the compose file names `key`, unless it is there."""
        name = naming.network(self._spec, key)
        if not any(found["Name"] == name for found in self._api.networks(names=[name])):
            declared = self._spec.networks.get(key, Network())
            labels = naming.resource_labels(self._spec, naming.NETWORK, key)
            self._api.create_network(
                name, driver=declared.driver, internal=declared.internal, labels=labels, check_duplicate=True
            )

    def ensure_volume(self, key: str) -> None:
        """Make the volume that the compose file names `key`, unless it is there."""
        name = naming.volume(self._spec, key)
        try:
            self._api.inspect_volume(name)
        except NotFound:
            driver = self._spec.volumes.get(key, Volume()).driver
            labels = naming.resource_labels(self._spec, naming.VOLUME, key)
            self._api.create_volume(name, driver=driver, labels=labels)

    def volumes(self) -> list[str]:
        """The names of the project's volumes, in order."""
        return sorted(volume["Name"] for volume in self._there.volumes())

    def remove_volumes(self) -> list[str]:
        """Delete the project's volumes, and all data in them; their names. Raises MachineError where one is used."""
        names = self.volumes()
        for name in names:
            try:
                self._api.remove_volume(name)
            except APIError as error:
                if error.status_code != 409:
                    raise
                holders = self._api.containers(all=True, filters={"volume": name})
                raise MachineError(
                    f"the volume {name} can't be deleted",
                    why=f"it is used by {', '.join(_name(each) for each in holders)}",
                    out="remove that container, then run alpesctl down --volumes again",
                ) from error
        return names

    def teardown(self) -> None:
        """Remove what `docker compose run` left, then the project's networks, but for those that somebody else's
        containers are on."""
        for left in self._there.one_offs():
            with contextlib.suppress(NotFound):
                self._api.stop(left["Id"])
                self._api.remove_container(left["Id"])
        for network in self._there.networks():
            try:
                self._api.remove_network(network["Id"])
            except APIError as error:
                if error.status_code not in (403, 404):  # somebody else's containers are on it still
                    raise


def _name(container: Mapping[str, Any]) -> str:
    return str((container.get("Names") or [container["Id"][:12]])[0]).lstrip("/")
