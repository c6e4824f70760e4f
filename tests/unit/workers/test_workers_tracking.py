"""The tracking worker's wiring: its relay outlives everything, its health says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from services.tracking.adapters.link import BrokerAway
from services.tracking.settings import Settings
from services.tracking.stop import Stop
from workers import tracking_worker as module
from workers.loop import Loop
from workers.tracking_worker import Relay, trouble


class FakeLetters:
    def __init__(self, *_: Any) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def relaying(monkeypatch: pytest.MonkeyPatch) -> Relay:
    monkeypatch.setattr(module, "client", lambda _url: object())
    monkeypatch.setattr(module, "Letters", FakeLetters)
    return Relay(Settings(), Stop())


def failing(errors: list[Exception], used: list[Any]) -> Callable[..., int]:
    def relay(_conninfo: str, letters: Callable[[], Any]) -> int:
        used.append(letters())
        if errors:
            raise errors.pop(0)
        return 1

    return relay


@pytest.mark.parametrize("error", [BrokerAway("Timeout"), KeyError("bug")])
def test_the_relay_goes_on_with_a_new_producer(
    relaying: Relay, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    used: list[FakeLetters] = []
    monkeypatch.setattr(module, "relay", failing([error], used))
    assert relaying.turn() == module.RELAY_RETRY_S
    assert relaying.turn() == 0.0
    assert used[0] is not used[1]
    assert (used[0].closed, used[1].closed) == (True, False)


def test_the_databases_trouble_keeps_the_producer(relaying: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[FakeLetters] = []
    monkeypatch.setattr(module, "relay", failing([psycopg.OperationalError()], used))
    relaying.turn()
    relaying.turn()
    assert used[0] is used[1]


class FakeCommands:
    connected = True

    def is_connected(self) -> bool:
        return self.connected

    def batch_receive(self) -> list[Any]:
        return []

    def acknowledge(self, _messages: Any) -> None: ...


def test_health_names_what_is_wrong(relaying: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: Any = FakeCommands()
    loop = Loop(commands, lambda _: None, ())
    assert trouble(commands, loop, relaying) == "no dead letters are published"
    monkeypatch.setattr(relaying, "is_alive", lambda: True)
    assert trouble(commands, loop, relaying) is None
    loop.beat -= module.STUCK_S + 1
    assert trouble(commands, loop, relaying) == "the loop is stuck"
    loop.refusal = "the database refuses: 42P01"
    assert trouble(commands, loop, relaying) == "the database refuses: 42P01"
    commands.connected = False
    assert trouble(commands, loop, relaying) == "no connection to the broker"
