"""Broker first, outbox second: what each answer of the two makes of an event."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from services.errors import InDoubt, KeyReused, NothingAttempted, ServiceError
from services.tracking.accepting import ANSWER_S, Accepting
from services.tracking.adapters.encoding import Command, command
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.recent import Recent
from tests.unit.services.tracking.tracking_fakes import FakeOutbox, FakePublisher

ID = "046e7f49-31d1-46f5-a17f-568f962340e1"
NOTHING, DOUBT, REUSED = NothingAttempted("away"), InDoubt("Timeout"), KeyReused("another")


def event(campaign: str = "123") -> Command:
    return command(Interaction(ID, "click", "1", "button", campaign, datetime(2026, 11, 24, tzinfo=UTC)), "c")


def outcome(accepting: Accepting, campaign: str = "123", *, named: bool = True) -> type[ServiceError] | None:
    try:
        asyncio.run(accepting.accept(event(campaign), named=named))
    except ServiceError as error:
        return type(error)
    return None


@pytest.mark.parametrize(
    ("broker", "outbox", "expected"),
    [
        (None, NOTHING, None),
        (NOTHING, None, None),
        (DOUBT, None, None),
        (NOTHING, NOTHING, NothingAttempted),
        (NOTHING, DOUBT, InDoubt),
        (NOTHING, REUSED, KeyReused),
        # What the broker may have is not refused, whatever the outbox says.
        (DOUBT, NOTHING, InDoubt),
        (DOUBT, DOUBT, InDoubt),
        (DOUBT, REUSED, InDoubt),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_an_event_is_accepted_refused_or_in_doubt(
    broker: Exception | None, outbox: Exception | None, expected: type[Exception] | None, named: bool
) -> None:
    accepting = Accepting(FakePublisher(broker), FakeOutbox(outbox), Recent())
    assert outcome(accepting, named=named) is expected


def test_what_the_broker_took_does_not_go_to_the_outbox() -> None:
    outbox = FakeOutbox()
    assert outcome(Accepting(FakePublisher(), outbox, Recent())) is None
    assert outbox.stored == {}


class Slow(FakePublisher):
    """Gives no receipt, and takes its time for that."""

    async def publish(self, body: bytes, key: str, properties: Mapping[str, str], *, probe: bool = False) -> None:
        await asyncio.sleep(0.2)
        raise DOUBT


@pytest.mark.parametrize(("broker", "left"), [(FakePublisher(NOTHING), ANSWER_S), (Slow(), ANSWER_S - 0.2)])
def test_the_outbox_has_the_time_that_the_broker_left(broker: FakePublisher, left: float) -> None:
    outbox = FakeOutbox()
    assert outcome(Accepting(broker, outbox, Recent())) is None
    assert outbox.within[0] <= left
    assert outbox.within == pytest.approx([left], abs=1.0)


@pytest.mark.parametrize(("error", "then"), [(NOTHING, None), (DOUBT, KeyReused)])
def test_an_id_is_taken_by_what_may_have_been_accepted_only(error: Exception, then: type[Exception] | None) -> None:
    broker, outbox = FakePublisher(error), FakeOutbox(error)
    accepting = Accepting(broker, outbox, Recent())
    assert outcome(accepting) is type(error)
    broker.error = None
    assert outcome(accepting, "another") is then


def test_a_refused_repetition_leaves_the_first_as_it_is() -> None:
    broker = FakePublisher()
    accepting = Accepting(broker, FakeOutbox(NOTHING), Recent())
    assert outcome(accepting) is None
    broker.error = NOTHING
    assert outcome(accepting) is NothingAttempted
    assert outcome(accepting, "another") is KeyReused


def test_ids_that_no_caller_chose_are_not_remembered() -> None:
    accepting = Accepting(FakePublisher(), FakeOutbox(), Recent())
    assert outcome(accepting, named=False) is None
    assert outcome(accepting, "another") is None


def test_memory_is_bounded_and_keeps_the_youngest() -> None:
    recent = Recent(most=10)
    for number in range(100):
        recent.put(str(number), "says")
        assert all(recent.get(str(young)) for young in range(max(0, number - 9), number + 1))
    assert sum(recent.get(str(number)) is not None for number in range(100)) <= 20
    recent.forget("99")
    assert recent.get("99") is None
