"""A fresh producer takes over once the one in use was cut off for long enough and the broker is back; no sooner."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from alpesctl.experiments.producers import PATIENCE, RETRY, Made, Producers, accepts_connections


class Fake:
    """Client and producer in one."""

    def __init__(self) -> None:
        self.connected = True
        self.closed = False

    def is_connected(self) -> bool:
        return self.connected

    def close(self) -> None:
        self.closed = True


class Broker:
    def __init__(self) -> None:
        self.there, self.refuses = True, False
        self.made: list[Fake] = []

    def make(self) -> Made:
        if self.refuses:
            raise ConnectionError("not yet")
        self.made.append(Fake())
        return Made(self.made[-1], self.made[-1])


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def producers(broker: Broker) -> Producers:
    return Producers(broker.make, lambda: broker.there)


def tend(producers: Producers, now: float) -> Any:
    """The producer in use, once what was begun is over."""
    producers.tend(now)
    if producers._attempt is not None:
        producers._attempt.join()
    return producers.current


def test_one_that_is_connected_stays(broker: Broker, producers: Producers) -> None:
    assert [tend(producers, now) for now in (0.0, 10.0, 20.0)] == [broker.made[0]] * 3


def test_one_that_was_cut_off_for_long_is_replaced_and_keeps_what_it_holds(
    broker: Broker, producers: Producers
) -> None:
    broker.made[0].connected = False
    assert tend(producers, 0.0) is tend(producers, PATIENCE - 0.1) is broker.made[0]
    assert tend(producers, PATIENCE) is broker.made[1]
    assert not broker.made[0].closed, "what it holds would end in doubt"
    producers.close()
    assert [made.closed for made in broker.made] == [True, True]


def test_one_that_came_back_by_itself_stays(broker: Broker, producers: Producers) -> None:
    broker.made[0].connected = False
    tend(producers, 0.0)
    broker.made[0].connected = True
    tend(producers, PATIENCE)
    broker.made[0].connected = False
    assert tend(producers, PATIENCE + 1) is broker.made[0], "its patience begins anew"


def test_a_broker_that_is_away_or_refuses_is_tried_again(broker: Broker, producers: Producers) -> None:
    broker.made[0].connected = broker.there = False
    tend(producers, 0.0)
    assert tend(producers, PATIENCE) is broker.made[0]
    broker.there = broker.refuses = True
    assert tend(producers, PATIENCE + RETRY) is broker.made[0]
    broker.refuses = False
    assert tend(producers, PATIENCE + 1.5 * RETRY) is broker.made[0], "tried again too soon"
    assert tend(producers, PATIENCE + 2 * RETRY) is broker.made[1]


def test_whether_a_broker_takes_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"pulsar://127.0.0.1:{server.getsockname()[1]}"
        assert accepts_connections(url)
    assert not accepts_connections(url)
