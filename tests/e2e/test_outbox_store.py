"""The outbox and its relay on a real database, one of their own: stored once, never above the bound, told apart."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from services.errors import InDoubt, KeyReused, NothingAttempted, ServiceError
from services.setup import migrate
from services.tracking.accepting import ANSWER_S
from services.tracking.adapters import outbox as module
from services.tracking.adapters.encoding import Command, command
from services.tracking.adapters.outbox import Outbox
from services.tracking.adapters.outbox_relay import OutboxRelay
from services.tracking.domain.interaction import Interaction
from tests.e2e.conftest import Stack
from tests.engine import ONE_RUNTIME

pytestmark = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")

NAME = "outbox_of_a_test"


@pytest.fixture(scope="module")
def made(stack: Stack) -> Iterator[str]:
    server = f"postgresql://app:app@{stack.project().runtime.endpoint('tracking_db', 5432)}"
    with psycopg.connect(f"{server}/app", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
        migrate("tracking", f"{server.replace('postgresql', 'postgresql+psycopg')}/{NAME}")
        yield f"{server}/{NAME}"
        connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


@pytest.fixture
def database(made: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute("TRUNCATE outbox, outbox_size")
        yield connection


def event(event_id: str | None = None, campaign: str = "123") -> Command:
    now = datetime.now(UTC)
    return command(Interaction(event_id or str(uuid.uuid4()), "click", "1", "button", campaign, now, None, None), "c")


async def outcome(storing: Coroutine[Any, Any, None]) -> type[ServiceError] | None:
    try:
        await storing
    except ServiceError as error:
        return type(error)
    return None


def rows_and_size(database: psycopg.Connection[Any]) -> Any:
    return database.execute("SELECT (SELECT count(*) FROM outbox), (SELECT sum(rows) FROM outbox_size)").fetchone()


class Receipts:
    """A broker that gives receipts for all but what it holds back."""

    def __init__(self, held_back: frozenset[bytes] = frozenset()) -> None:
        self.held_back = held_back
        self.sent: Counter[bytes] = Counter()

    def is_connected(self) -> bool:
        return True

    def is_doubted(self) -> bool:
        return False

    async def publish(self, body: bytes, key: str, properties: Mapping[str, str], *, probe: bool) -> None:
        await asyncio.sleep(0)
        if body in self.held_back:
            raise InDoubt("Timeout")
        self.sent[body] += 1


def test_an_id_must_be_stored_once_and_another_body_told_so(made: str, database: psycopg.Connection[Any]) -> None:
    async def run() -> None:
        first, second = Outbox(made, "tracking-1", 1000), Outbox(made, "tracking-2", 1000)
        one = event()
        at_once = [event(one.event.id, campaign) for campaign in ("123", "other")]
        at_once = [one, command(one.event, "again"), at_once[1]]
        found = await asyncio.gather(*(outcome(first.store(it, ANSWER_S)) for it in at_once))
        assert found == [None, None, KeyReused]
        assert [await outcome(second.store(it, ANSWER_S)) for it in at_once] == [None, None, KeyReused]
        # Two replicas at once, with the same ids in opposite orders.
        many = [event() for _ in range(200)]
        found = await asyncio.gather(
            *(outcome(box.store(it, ANSWER_S)) for box, its in ((first, many), (second, many[::-1])) for it in its)
        )
        assert set(found) == {None}
        await first.close()
        await second.close()

    asyncio.run(run())
    assert rows_and_size(database) == (201, 201)


def test_a_full_outbox_must_refuse_what_is_new_and_know_what_it_has(
    made: str, database: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        box = Outbox(made, "tracking-1", 700)
        known = event()
        assert await outcome(box.store(known, ANSWER_S)) is None
        found = await asyncio.gather(*(outcome(box.store(event(), ANSWER_S)) for _ in range(1000)))
        assert Counter(found) == {None: 699, NothingAttempted: 301}
        assert await outcome(box.store(known, ANSWER_S)) is None
        await box.close()

    asyncio.run(run())
    assert rows_and_size(database) == (700, 700)


def test_a_connection_that_was_cut_must_cost_no_event(made: str, database: psycopg.Connection[Any]) -> None:
    async def run() -> None:
        box = Outbox(made, "tracking-1", 1000)
        assert await outcome(box.store(event(), ANSWER_S)) is None
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'alpes-outbox'"
        )
        assert await outcome(box.store(event(), ANSWER_S)) is None
        await box.close()

    asyncio.run(run())
    assert rows_and_size(database) == (2, 2)


def test_what_a_stuck_database_has_must_be_in_doubt_and_what_it_has_not_nothing(
    made: str, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        box = Outbox(made, "tracking-1", 1000)
        assert await outcome(box.store(event(), ANSWER_S)) is None
        monkeypatch.setattr(module, "PAUSE_S", 0.3)
        monkeypatch.setattr(module, "STATEMENT_S", 0.3)
        sent, waits = event(), event()
        with database.transaction():
            database.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
            first = asyncio.create_task(outcome(box.store(sent, 0.3)))
            await asyncio.sleep(0.1)
            assert await outcome(box.store(waits, 0.3)) is NothingAttempted
            assert await first is InDoubt
        while await outcome(box.store(sent, 0.3)) is not None:
            await asyncio.sleep(0.05)
        await asyncio.gather(*box._left)
        await box.close()

    asyncio.run(run())
    assert rows_and_size(database) == (2, 2)


def test_a_database_that_stalls_must_cost_no_event_that_has_time(made: str, database: psycopg.Connection[Any]) -> None:
    """Longer than a connection may take; and whoever has less time, before it or beside it, costs it nothing."""

    async def run() -> None:
        box = Outbox(made, "tracking-1", 1000)
        assert await outcome(box.store(event(), ANSWER_S)) is None
        with database.transaction():
            database.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
            hurried = asyncio.create_task(outcome(box.store(event(), 0.1)))
            assert await hurried is InDoubt
            stalled = asyncio.create_task(outcome(box.store(event(), ANSWER_S)))
            assert not (await asyncio.wait({stalled}, timeout=module.PAUSE_S + 0.5))[0]
        assert await stalled is None
        await box.close()

    asyncio.run(run())
    assert rows_and_size(database) == (3, 3)


def test_relays_must_share_the_work_and_keep_what_has_no_receipt(made: str, database: psycopg.Connection[Any]) -> None:
    async def run() -> None:
        box = Outbox(made, "tracking-1", 10_000)
        events = [event() for _ in range(1000)]
        await asyncio.gather(*(box.store(it, ANSWER_S) for it in events))
        await box.close()
        broker = Receipts(frozenset({events[3].body, events[700].body}))
        relays = [OutboxRelay(made, f"tracking-{number}", broker) for number in range(3)]
        while sum(await asyncio.gather(*(relay.turn() for relay in relays))):
            pass
        assert broker.sent == Counter(it.body for it in events if it.body not in broker.held_back)
        assert rows_and_size(database) == (2, 2)
        broker.held_back = frozenset()
        async with relays[0]:
            while rows_and_size(database) != (0, 0):
                await asyncio.sleep(0.01)
        for relay in relays[1:]:
            async with relay:
                pass

    asyncio.run(asyncio.wait_for(run(), 30))
