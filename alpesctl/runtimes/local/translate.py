"""Turns the stack's host names into loopback addresses, pure: whole tokens only, an ambiguity is an error.

`pulsar://pulsar:6650` names the service pulsar; `commands.tracking`, `tracking-svc` and the path in
`http://x/tracking/health` do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from alpesctl.errors import ComposeError
from alpesctl.stack.model import Service

_HOST_VARIABLE = re.compile(r"(^|_)(HOST|HOSTNAME|ADDR|ADDRESS|SERVER)$")

PortOf = Callable[[str, int], int]
"""The host port of a service's (only) replica for a container port."""


def hosts(text: str, services: Mapping[str, Service], port_of: PortOf, *, where: str) -> str:
    """`text` with every service that stands where a host does replaced by `127.0.0.1:host port`.

    A host stands behind `//` or `@`, or has a port. Raises ComposeError where the service has several
    replicas (which one is meant?), or where a service is named as a host without a port.
    """
    names = "|".join(sorted(map(re.escape, services), key=len, reverse=True))

    def replace(match: re.Match[str]) -> str:
        name, port = match.group("name"), match.group("port")
        before = text[: match.start()]
        behind_scheme = before.endswith(("//", "@"))
        if not behind_scheme and (port is None or before.endswith("/")):
            return match.group()
        if port is None:
            raise ComposeError(
                f"{where}: {name} is named as a host without a port",
                why="without Docker's name server, a host name alone can't be translated",
                out=f"write {name}:PORT",
            )
        if services[name].replicas > 1:
            raise ComposeError(
                f"{where}: {name}:{port} means {services[name].replicas} replicas",
                why="the local runtime can't say which one",
                out="put nginx in front, and name that",
            )
        return f"127.0.0.1:{port_of(name, int(port))}"

    return re.sub(rf"(?<![\w.\-])(?P<name>{names})(?::(?P<port>\d+))?(?![\w.\-])", replace, text)


def environment(
    values: Mapping[str, str], services: Mapping[str, Service], port_of: PortOf, *, where: str
) -> dict[str, str]:
    """The variables with their hosts translated. A variable that is a service's name and no more is
    translated where the variable's name says that it is a host, and is left alone elsewhere."""
    result = {}
    for key, value in values.items():
        if value in services and _HOST_VARIABLE.search(key):
            result[key] = "127.0.0.1"
        else:
            result[key] = hosts(value, services, port_of, where=f"{where}.{key}")
    return result


def own_port(text: str, ports: Mapping[int, int]) -> str:
    """A replica's own loopback addresses (`127.0.0.1:8010` inside it) with its host ports."""

    def replace(match: re.Match[str]) -> str:
        port = int(match.group(2))
        return f"{match.group(1)}:{ports.get(port, port)}"

    return re.sub(r"\b(127\.0\.0\.1|localhost):(\d+)\b", replace, text)
