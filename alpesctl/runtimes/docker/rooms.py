"""How much room the volumes of running containers have. Reads, changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import docker

from alpesctl.errors import AlpesError
from alpesctl.runtimes import disks
from alpesctl.runtimes.base import Room, State
from alpesctl.runtimes.docker import naming, observing
from alpesctl.runtimes.docker.execution import execute

_DF_TIMEOUT = 5.0


def rooms(api: docker.APIClient, there: Iterable[observing.Inspected]) -> list[Room]:
    """One a volume. Asked inside: the engine's own folders are closed to others, or on another machine; an image
    without `df` tells nothing."""
    found: dict[str, Room] = {}
    for each in there:
        if observing.state(each) is not State.RUNNING:
            continue
        service = naming.address(each["Config"]["Labels"])[0]
        for mount in each.get("Mounts") or ():
            if mount.get("Type") != "volume" or mount["Name"] in found:
                continue
            with contextlib.suppress(AlpesError):
                told = execute(api, each["Id"], ["df", "-Pk", mount["Destination"]], timeout=_DF_TIMEOUT)
                if size := disks.parse(told.stdout):
                    what = f"{service}'s data ({mount['Name']})"
                    found[mount["Name"]] = Room(what, mount["Destination"], *size)
    return list(found.values())
