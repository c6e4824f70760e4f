"""A command in a container with this process's own standard input, output and error, byte for byte."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal as signals
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import docker
from docker.utils.socket import STDERR, frames_iter

from alpesctl.runtimes.docker.execution import refuse_missing, signal_process
from alpesctl.runtimes.docker.observing import Inspected

_CHUNK = 65536
_POLL = 0.02


def attach(api: docker.APIClient, inspected: Inspected, command: Sequence[str], *, terminal: bool) -> int:
    """Run the command; its exit code. With `terminal` it gets one of its own, in the size of ours.

    Raises UsageError where the command isn't there.
    """
    stdin = _has_input()
    made = api.exec_create(inspected["Id"], list(command), stdin=stdin, tty=terminal)["Id"]
    with _hijacked(api, made, terminal) as connection:
        if stdin:
            threading.Thread(target=_send_input, args=(connection,), daemon=True).start()
        with _raw(api, made) if terminal else contextlib.nullcontext():
            complaint = _receive(api, made, inspected, connection, terminal)
    code = _exit_code(api, made)
    refuse_missing(command, code, complaint.decode(errors="replace"))
    return code


def _has_input() -> bool:
    try:
        return sys.stdin is not None and os.fstat(sys.stdin.fileno()) is not None
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _hijacked(api: docker.APIClient, made: str, terminal: bool) -> Iterator[socket.socket]:
    """The connection on which the engine passes the command's streams."""
    stream: Any = api.exec_start(made, tty=terminal, socket=True)
    connection = getattr(stream, "_sock", stream)
    try:
        yield connection
    finally:
        with contextlib.suppress(OSError):
            connection.close()
        stream.close()


def _send_input(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := os.read(sys.stdin.fileno(), _CHUNK):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def _receive(api: docker.APIClient, made: str, inspected: Inspected, connection: Any, terminal: bool) -> bytes:
    """Write what comes to standard output and error until it ends; the beginning of what came."""
    beginning = b""
    try:
        for stream, data in frames_iter(connection, terminal):  # type: ignore[no-untyped-call]
            beginning = (beginning + data)[:1000]
            _write(2 if stream == STDERR else 1, data)
    except KeyboardInterrupt:
        # Without a terminal of its own the command doesn't hear of it.
        signal_process(inspected, int(api.exec_inspect(made).get("Pid") or 0), signals.SIGINT)
        raise
    return beginning


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _exit_code(api: docker.APIClient, made: str) -> int:
    while (code := api.exec_inspect(made)["ExitCode"]) is None:  # its output has ended a moment before it
        time.sleep(_POLL)
    return int(code)


@contextlib.contextmanager
def _raw(api: docker.APIClient, made: str) -> Iterator[None]:
    """Our terminal hands every key on as it is, and its size, until the end."""
    import termios
    import tty

    def resize(*_: object) -> None:
        columns, lines = shutil.get_terminal_size()
        with contextlib.suppress(docker.errors.APIError):  # it has ended
            api.exec_resize(made, height=lines, width=columns)

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    handler = signals.signal(signals.SIGWINCH, resize)
    try:
        tty.setraw(keyboard, termios.TCSANOW)  # what was typed ahead is kept
        resize()
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        signals.signal(signals.SIGWINCH, handler)
