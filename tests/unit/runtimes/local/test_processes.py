"""Trees of processes: what is frozen runs no more, in none of its threads; what has ended is gone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from alpesctl.runtimes.local import processes

BUSY = """
import hashlib, threading
def busy():
    while True:
        hashlib.sha256(bytes(10**7))
for _ in range(15):
    threading.Thread(target=busy, daemon=True).start()
print("busy", flush=True)
busy()
"""
# A parent that reaps nothing: its child stays a zombie.
CARELESS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", ""])
print(child.pid, flush=True)
sys.stdin.read()
"""


@contextmanager
def running(script: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Python process and the first line that it says; ended afterwards."""
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdin is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def states(pid: int) -> set[str]:
    """The states of its threads, in one letter each."""
    told = [thread.read_text() for thread in Path(f"/proc/{pid}/task").glob("*/status")]
    return {line.split()[1] for text in told for line in text.splitlines() if line.startswith("State:")}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have states of their own only there")
def test_what_is_frozen_has_no_thread_that_still_runs() -> None:
    with running(BUSY) as (process, said):
        assert said == "busy"
        for _ in range(20):
            processes.freeze(process.pid)
            assert states(process.pid) == {"T"}
            processes.thaw(process.pid)
            assert states(process.pid) != {"T"}


def test_what_has_ended_is_gone_though_nobody_reaps_it() -> None:
    with running(CARELESS) as (_, pid):
        child = psutil.Process(int(pid))
        assert processes.wait_gone([child], timeout=10) == []
        assert child.status() == psutil.STATUS_ZOMBIE
