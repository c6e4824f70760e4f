"""The link: made anew after an outage, once the broker answers, and not before."""

from __future__ import annotations

from collections.abc import Callable

import pulsar
import pytest

from services.messaging import link as module
from services.messaging.link import Link, answers


class FakeHandle:
    def __init__(self, connected: bool = True) -> None:
        self.connected = connected
        self.closed = False
        self.error: Exception | None = None

    def is_connected(self) -> bool:
        return self.connected

    def close(self) -> None:
        self.closed = True
        if self.error is not None:
            raise self.error


class FakeClient:
    def __init__(self) -> None:
        self.ended = False

    def shutdown(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = True
        raise pulsar.AlreadyClosed("AlreadyClosed")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[FakeClient]:
    made: list[FakeClient] = []

    def client(_url: str) -> FakeClient:
        made.append(FakeClient())
        return made[-1]

    monkeypatch.setattr(module, "client", client)
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    monkeypatch.setattr(module, "answers", lambda _url: True)
    return made


def test_a_link_that_holds_is_left_alone(clients: list[FakeClient]) -> None:
    link = Link("pulsar://broker:6650", lambda _: FakeHandle())
    link.check()
    assert len(clients) == 1


def test_a_link_that_broke_is_made_anew(clients: list[FakeClient]) -> None:
    link = Link("pulsar://broker:6650", lambda _: FakeHandle())
    old = link.handle
    old.connected = False
    link.check()
    assert link.handle.is_connected()
    # Only closing a producer answers the sends it still holds; shutting its client down does not.
    assert old.closed
    assert [client.ended for client in clients] == [True, False]


def test_nothing_is_made_while_the_broker_is_away(clients: list[FakeClient], monkeypatch: pytest.MonkeyPatch) -> None:
    link = Link("pulsar://broker:6650", lambda _: FakeHandle())
    monkeypatch.setattr(module, "answers", lambda _url: False)
    link.handle.connected = False
    link.check()
    assert len(clients) == 1


def test_a_link_that_came_back_meanwhile_is_kept(clients: list[FakeClient]) -> None:
    handles: list[FakeHandle] = []

    def make(_: object) -> FakeHandle:
        for handle in handles:
            handle.connected = True
        handles.append(FakeHandle())
        return handles[-1]

    link = Link("pulsar://broker:6650", make)
    handles[0].connected = False
    link.check()
    assert link.handle is handles[0]
    assert not handles[0].closed
    assert [client.ended for client in clients] == [False, True]


@pytest.mark.parametrize("error", [pulsar.Timeout, pulsar.AlreadyClosed])
def test_a_broker_that_is_away_does_not_fail_a_stop(
    clients: list[FakeClient], error: Callable[[str], Exception]
) -> None:
    link = Link("pulsar://broker:6650", lambda _: FakeHandle())
    link.handle.error = error("away")
    link.close()
    assert link.handle.closed
    assert clients[0].ended


def test_a_port_that_is_closed_does_not_answer() -> None:
    assert not answers("pulsar://127.0.0.1:1")
