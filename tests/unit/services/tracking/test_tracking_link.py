"""The link: made anew after an outage, once the broker answers, and not before."""

from __future__ import annotations

import pytest

from services.tracking.adapters import link as module
from services.tracking.adapters.link import Link, answers


class FakeHandle:
    def __init__(self, connected: bool = True) -> None:
        self.connected = connected

    def is_connected(self) -> bool:
        return self.connected


class FakeClient:
    def __init__(self) -> None:
        self.ended = False

    def shutdown(self) -> None:
        self.ended = True


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
    link.handle.connected = False
    link.check()
    assert link.handle.is_connected()
    assert [client.ended for client in clients] == [True, False]


def test_nothing_is_made_while_the_broker_is_away(clients: list[FakeClient], monkeypatch: pytest.MonkeyPatch) -> None:
    link = Link("pulsar://broker:6650", lambda _: FakeHandle())
    monkeypatch.setattr(module, "answers", lambda _url: False)
    link.handle.connected = False
    link.check()
    assert len(clients) == 1


def test_a_port_that_is_closed_does_not_answer() -> None:
    assert not answers("pulsar://127.0.0.1:1")
