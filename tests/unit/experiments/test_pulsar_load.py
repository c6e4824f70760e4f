"""A burst keeps to its limit of unanswered events, however small."""

from types import SimpleNamespace
from typing import Any

import pytest

from alpesctl.experiments.generator import Clock, Stretch
from alpesctl.experiments.ledger import Ledger, Outcome
from alpesctl.experiments.model import Event, Load
from alpesctl.experiments.pulsar_load import PulsarLoad, classify
from alpesctl.experiments.schedule import Schedule
from alpesctl.experiments.template import InTurn


class Held:
    """A producer that answers everything once it is asked whether anything is answered."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []
        self.most = 0

    def send_async(self, _body: bytes, done: Any, **_: Any) -> None:
        self.waiting.append(done)
        self.most = max(self.most, len(self.waiting))

    def answer(self) -> None:
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            done(SimpleNamespace(name="Ok"), None)


@pytest.mark.parametrize("pending", [1, 100, 511, 512, 1000])
def test_a_burst_keeps_to_its_limit_and_ends(pending: int, monkeypatch: pytest.MonkeyPatch) -> None:
    load: Any = PulsarLoad.__new__(PulsarLoad)
    load._load = Load("pulsar", "burst", "t", 0.0, 1500, pending=pending)
    load._event = InTurn([Event({"id": "{id}"})])
    producer = Held()
    load._producers = SimpleNamespace(current=producer, tend=lambda _now: None)
    looks = iter(range(5_000))  # a hang ends the test

    def sleep(_: float) -> None:
        next(looks)
        producer.answer()

    monkeypatch.setattr("alpesctl.experiments.pulsar_load.time.sleep", sleep)
    ledger = Ledger(1500)
    load.run(Stretch(ledger, 0, Schedule(0.0, 0.0, 1500), Clock()))
    assert ledger.tally[Outcome.ACCEPTED] == 1500
    assert producer.most <= pending


def test_a_producer_that_closed_under_way_leaves_the_event_in_doubt() -> None:
    assert classify("AlreadyClosed") is Outcome.IN_DOUBT
