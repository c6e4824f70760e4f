"""Which ports of this machine a new container publishes."""

from __future__ import annotations

from alpesctl.errors import MachineError
from alpesctl.runtimes.docker import observing
from alpesctl.runtimes.docker.inventory import Inventory
from alpesctl.runtimes.loopback import holder, is_free
from alpesctl.stack.model import Service


def choose(service: Service, there: Inventory) -> dict[int, tuple[str, int]]:
    """Container port → address and port here: of each range the lowest that no container of the project and nobody
    else has. Raises MachineError where a range has none left."""
    if not service.ports:
        return {}
    taken = {port for each in there.inspect_all() for port in observing.published_ports(each)}
    found = {}
    for port in service.ports:
        candidates = range(port.host_first, port.host_last + 1)
        free = next((n for n in candidates if n not in taken and is_free(n)), None)
        if free is None:
            raise MachineError(
                f"{service.name}: no free port from {port.host_first} to {port.host_last}",
                why=there.holders().get(port.host_first) or holder(port.host_first),
                out="end that program, or set another port in .env",
            )
        taken.add(free)
        found[port.container] = (port.host_ip, free)
    return found
