"""Ports of this machine's loopback address: which are free, and who holds the others."""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass

import psutil

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


@dataclass(frozen=True)
class Listener:
    """The program that listens on a port; `pid` is None and `name` "" where this user may not see it."""

    pid: int | None
    name: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})" if self.pid else "another program"


def listeners() -> dict[int, Listener]:
    """Every TCP port of this machine on which somebody listens, as far as this user may see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return {}
    found: dict[int, Listener] = {}
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr:
            continue
        name = ""
        if connection.pid:
            with contextlib.suppress(psutil.Error):
                name = psutil.Process(connection.pid).name()
        if name or connection.laddr.port not in found:
            found[connection.laddr.port] = Listener(connection.pid if name else None, name)
    return found


def holder(port: int) -> str:
    """Who listens on `port`, in words."""
    listener = listeners().get(port)
    if listener is None or listener.pid is None:
        return f"port {port} is taken by another program"
    return f"port {port} is held by {listener}"
