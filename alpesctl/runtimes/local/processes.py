"""Trees of processes: freeze, thaw and kill a replica with all its descendants."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

# The launcher records the time after the fork that made it, and clocks tick coarsely (seconds).
_SAME_LAUNCH = 5.0
_POLL = 0.01
_STOPPING = 2.0
# States of a thread, as Linux names them: stopped, traced, or gone.
_STILL = frozenset("TtZX")


def tree(pid: int | None) -> list[psutil.Process]:
    """The process and all its descendants, itself first; empty where it doesn't run."""
    if pid is None:
        return []
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def group(leader: int, launched_at: float) -> list[psutil.Process]:
    """The members of the process group that `leader` began at `launched_at` (Unix seconds), whether or not
    the leader lives. A group whose living leader is older or younger is another program's."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if abs(psutil.Process(leader).create_time() - launched_at) > _SAME_LAUNCH:
            return []
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == leader and process.create_time() >= launched_at - _SAME_LAUNCH:
                found.append(process)
    return found


def freeze(pid: int | None) -> list[psutil.Process]:
    """SIGSTOP to the whole tree, until each thread is stopped and no new descendant appears; returns what is frozen.

    On a busy machine a thread takes the signal only when it is its turn; what sleeps in the kernel, on a disk for
    instance, when that is over, and is waited for two seconds."""
    frozen: dict[int, psutil.Process] = {}
    while True:
        new = [process for process in tree(pid) if process.pid not in frozen]
        if not new:
            return list(frozen.values())
        for process in new:
            _send(process, signal.SIGSTOP)
            frozen[process.pid] = process
        _wait_none(new, _moves, timeout=_STOPPING)


def thaw(pid: int | None) -> None:
    """SIGCONT to the whole tree, descendants first."""
    for process in reversed(tree(pid)):
        _send(process, signal.SIGCONT)


def is_frozen(pid: int | None) -> bool:
    """Whether the process itself is stopped."""
    if pid is None:
        return False
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def kill(processes: list[psutil.Process], *, timeout: float = 10.0) -> None:
    """SIGKILL to each, and wait until all are gone (seconds)."""
    for process in processes:
        _send(process, signal.SIGKILL)
    wait_gone(processes, timeout=timeout)


def wait_gone(processes: list[psutil.Process], *, timeout: float) -> list[psutil.Process]:
    """Those that still run once all have ended or `timeout` (seconds) has passed.

    What has ended and was not yet reaped by its parent is gone: supervisord reaps once a second.
    """
    return _wait_none(processes, _runs, timeout=timeout)


def _wait_none(
    processes: list[psutil.Process], still: Callable[[psutil.Process], bool], *, timeout: float
) -> list[psutil.Process]:
    deadline = time.monotonic() + timeout
    while True:
        left = [process for process in processes if still(process)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_POLL)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _moves(process: psutil.Process) -> bool:
    """Whether any of its threads still runs; where there is no /proc, whether the process itself does."""
    if not _runs(process):
        return False
    threads = Path(f"/proc/{process.pid}/task")
    if not threads.is_dir():
        return not is_frozen(process.pid)
    states = set()
    for thread in threads.iterdir():
        with contextlib.suppress(OSError):  # gone meanwhile
            # The name before the state is in parentheses, and may hold any character.
            states.add((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return not states <= _STILL


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def usage(pid: int | None) -> tuple[float, int]:
    """CPU seconds used so far, and resident bytes, of the whole tree."""
    cpu, memory = 0.0, 0
    for process in tree(pid):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            cpu += times.user + times.system
            memory += process.memory_info().rss
    return cpu, memory
