"""Loopback ports for the tests' own projects."""

from __future__ import annotations

import os
import socket


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def free_range(count: int, start: int = 18_000) -> str:
    """A range of so many loopback ports from `start` on, outside those handed out for outgoing connections, all
    free now. Those of another process of these tests are others, though it uses none of them yet."""
    start += 500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for first in range(start, 30_000, count):
        probes = [socket.socket() for _ in range(count)]
        try:
            for offset, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
        return f"{first}-{first + count - 1}"
    raise AssertionError("no free range of ports")
