"""Hands out loopback ports: the lowest free one of a published range, any free one for the rest."""

from __future__ import annotations

import socket

from alpesctl.errors import MachineError
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.runtimes.loopback import LOOPBACK, holder, is_free
from alpesctl.stack.model import Port, Service


class PortBook:
    """Remembers which host port stands for which replica's container port, as long as the project lives."""

    def __init__(self, state: ProjectState) -> None:
        self._state = state

    def assign(self, service: Service, number: int, container_port: int) -> int:
        """The replica's host port for `container_port`, now and from now on.

        Raises MachineError where another program holds it, and says which.
        """
        container_port = service.facing(container_port)
        book = self._state.ports()
        key = f"{service.name}-{number}:{container_port}"
        published = next((p for p in service.ports if p.container == container_port), None)
        if key in book and (published is None or published.host_first <= book[key] <= published.host_last):
            return book[key]
        taken = {port for name, port in book.items() if name != key}
        book[key] = _from_range(service, published, taken) if published else _any_free(taken)
        self._state.save_ports(book)
        return book[key]


def _from_range(service: Service, port: Port, taken: set[int]) -> int:
    for candidate in range(port.host_first, port.host_last + 1):
        if candidate not in taken and is_free(candidate):
            return candidate
    shown = str(port.host_first) if port.host_first == port.host_last else f"{port.host_first}-{port.host_last}"
    raise MachineError(
        f"no free port for {service.name} in {shown}",
        why=holder(port.host_first),
        out="end that program, or choose other ports in .env",
    )


def _any_free(taken: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            candidate = int(probe.getsockname()[1])
        if candidate not in taken:
            return candidate
