"""Stops: heard whenever they come, without a lock, and over in time."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from services.process import logs
from services.process.stop import Stop
from services.storage.reading import Overdue
from services.tracking import server

ROOT = Path(__file__).parents[4]

# The main thread holds the lock of the log while the signal comes, as it may in real life.
HANDLED = """
import os, signal, time
import structlog
from services.process.stop import Stop
stop = Stop()
stop.listen(0.2)
with structlog.PrintLogger()._lock:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.1)
assert stop.is_set()
time.sleep(60)
"""

STUCK = """
import threading, time
from services.process.entry import end
threading.Thread(target=time.sleep, args=(60,)).start()
print("flushed")
end(0)
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=20)


def test_a_signal_is_heard_while_the_log_is_locked_and_a_stop_that_hangs_gives_up() -> None:
    done = run(HANDLED)
    assert done.returncode == 0, done.stderr
    assert "SIGTERM" in done.stdout


def test_the_process_ends_whatever_its_threads_do() -> None:
    done = run(STUCK)
    assert (done.returncode, done.stdout) == (0, "flushed\n")


def test_a_wait_ends_with_the_stop_or_its_time() -> None:
    stop = Stop()
    began = time.monotonic()
    assert not stop.wait(0.01)
    stop.set()
    assert stop.wait(60)
    assert time.monotonic() - began < 5


class Closing:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[Stop]:
    found: list[Stop] = []
    monkeypatch.setattr(logs, "configure", lambda *_: None)
    monkeypatch.setattr(Stop, "listen", lambda self, _limit: found.append(self))
    return found


def test_a_signal_in_the_last_moment_of_the_start_stops_it(stops: list[Stop], monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Closing()
    served: list[Any] = []

    class Connecting(Closing):
        def keep(self) -> threading.Event:
            return threading.Event()

        def is_connected(self) -> bool:
            stops[0].set()
            return True

    publisher = Connecting()
    monkeypatch.setattr(server, "make_publisher", lambda *_: publisher)
    monkeypatch.setattr(server, "Reading", lambda *_: reading)
    monkeypatch.setattr(server.Server, "run", lambda self: served.append(self))
    monkeypatch.setattr(server, "Application", lambda *_: None)
    assert server.main() == 0
    assert (served, publisher.closed, reading.closed) == ([], True, True)


def test_a_signal_while_it_begins_to_listen_stops_it() -> None:
    async def app(*_: Any) -> None: ...

    stop = Stop()
    serving = server.Server(uvicorn.Config(app), stop, contextlib.AsyncExitStack)
    assert not asyncio.run(serving.on_tick(1))
    stop.set()
    assert asyncio.run(serving.on_tick(1))


@pytest.mark.parametrize(("broker", "database", "listens"), [(True, False, 1), (False, True, 1), (False, False, 0)])
def test_a_replica_listens_once_broker_or_database_is_there(
    broker: bool, database: bool, listens: int, stops: list[Stop], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    class Broker(Closing):
        def keep(self) -> threading.Event:
            tried = threading.Event()
            tried.set()
            return tried

        def is_connected(self) -> bool:
            return broker

    class Database(Closing):
        def outbox_rows(self) -> int:
            asked.append(None)
            if len(asked) == 3:
                stops[0].set()
            if not database:
                raise Overdue("no answer")
            return 0

    served: list[object] = []
    monkeypatch.setattr(server, "make_publisher", lambda *_: Broker())
    monkeypatch.setattr(server, "Reading", lambda *_: Database())
    monkeypatch.setattr(server.Server, "run", lambda self: served.append(self))
    monkeypatch.setattr(server, "LOOK_S", 0.001)
    assert server.main() == 0
    assert len(served) == listens
