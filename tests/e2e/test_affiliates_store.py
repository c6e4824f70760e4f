"""What the affiliates' half keeps in its databases, on real ones of its own: once an id, and in order."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from typing import Any

import psycopg
import pytest

from services.affiliates.adapters.outbox import Outbox
from services.affiliates.adapters.reading import Reading
from services.affiliates.adapters.store import DatabaseStore
from services.affiliates.domain.commands import CreateAffiliate
from services.affiliates.handlers import Outcome, Topics, handle
from services.affiliates.messages import Incoming, Outgoing, decode, outgoing
from services.errors import KeyReused
from services.messaging.messages import Sent
from services.setup import migrate
from services.tracking.adapters import info_relay
from services.tracking.adapters.counting import Counter
from services.tracking.domain.outcomes import InfoRequest
from tests.e2e.conftest import HELD_UP
from tests.engine import ONE_RUNTIME
from tests.unit.services.tracking.tracking_fakes import FakeMessage, FakeMessageId
from tests.waiting import eventually

pytestmark = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")

COMMANDS = "persistent://public/default/commands.affiliates"
TOPICS = Topics("persistent://public/default/events.affiliates", "persistent://public/default/commands.tracking")


@pytest.fixture
def affiliates(database: str) -> str:
    """A database of the affiliates service, migrated, as `USER:PASSWORD@SERVER/NAME`."""
    migrate("affiliates", f"postgresql+psycopg://{database}")
    return database


@pytest.fixture
def outbox(affiliates: str) -> Iterator[Outbox]:
    with closing(Outbox(f"postgresql+psycopg://{affiliates}")) as made:
        yield made


def new(name: str, own: str) -> Outgoing:
    return outgoing("CreateAffiliate", CreateAffiliate(name, "a@example.org", "p"), own, own, COMMANDS, own)


def incoming(name: str, body: dict[str, Any], own: str, entry: int) -> Incoming:
    named = {"name": name, "commandId": own}
    return decode(FakeMessage(json.dumps(body).encode(), named, topic=COMMANDS, at=FakeMessageId(1, entry)), "events")


def test_another_command_under_an_id_must_be_refused_after_the_first_left_the_outbox(
    affiliates: str, outbox: Outbox
) -> None:
    own = str(uuid.uuid4())
    outbox.store(new("Ana", own))
    with psycopg.connect(f"postgresql://{affiliates}", autocommit=True) as database:
        database.execute("DELETE FROM outbox")  # the relay has published it, and the worker has not had it yet
        with pytest.raises(KeyReused):
            outbox.store(new("Eve", own))
        outbox.store(new("Ana", own))
        assert database.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


@pytest.mark.parametrize(("name", "error"), [("Ana", None), ("Eve", KeyReused)])
def test_of_two_commands_at_once_under_an_id_one_must_be_accepted(
    affiliates: str, outbox: Outbox, name: str, error: type[Exception] | None
) -> None:
    own = str(uuid.uuid4())
    url = f"postgresql://{affiliates}"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(url, autocommit=True) as watching:
        with psycopg.connect(url) as first:
            accepted = "INSERT INTO accepted (id, fingerprint) VALUES (%s, %s)"
            first.execute(accepted, (own, new("Ana", own).fingerprint))
            second = pool.submit(outbox.store, new(name, own))
            eventually(lambda: watching.execute(HELD_UP).fetchone(), within=10.0, what="the second waits")
            first.commit()
        if error is None:
            second.result(timeout=10.0)
        else:
            with pytest.raises(error):
                second.result(timeout=10.0)
        assert watching.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


def test_what_one_transaction_stored_must_be_listed_newest_first(affiliates: str) -> None:
    ana, posts = str(uuid.uuid4()), [str(uuid.uuid4()) for _ in range(20)]
    batch = [incoming("CreateAffiliate", {"name": "Ana", "email": "a@example.org", "program_id": "p"}, ana, 0)]
    body = {"title": "t", "content": "c", "affiliate_id": ana, "brand_id": "b"}
    batch += [incoming("CreatePost", body, post, 1 + place) for place, post in enumerate(posts)]
    with closing(DatabaseStore(f"postgresql://{affiliates}")) as store:
        assert {each.outcome for each in handle(store, batch, TOPICS)} == {Outcome.DONE}
    with closing(Reading(f"postgresql+psycopg://{affiliates}", f"postgresql://{affiliates}")) as reading:
        assert [str(row.id) for row in reading.posts(100, None, None)] == posts[::-1]


class Receipts:
    """A broker that gives receipts for everything."""

    def __init__(self) -> None:
        self.sagas: list[str] = []

    def publish(self, _topic: str, messages: Sequence[Sent]) -> int:
        self.sagas += [json.loads(message.body)["saga_id"] for message in messages]
        return len(messages)


def test_answers_must_be_published_in_the_order_of_their_questions_by_one_relay_at_a_time(database: str) -> None:
    migrate("tracking", f"postgresql+psycopg://{database}")
    day = date(2026, 11, 1)
    asked = [InfoRequest(str(uuid.uuid4()), f"saga {n}", "c", "7", "p", day, day) for n in range(60)]
    broker, url = Receipts(), f"postgresql://{database}"
    with closing(Counter(url, "w")) as counter:
        for first in range(0, 60, 20):
            # The last one comes again with the next batch.
            assert counter.build(asked[max(0, first - 1) : first + 20]) == []
    with psycopg.connect(url, autocommit=True) as one, psycopg.connect(url, autocommit=True) as other:
        with other.transaction():
            other.execute(info_relay.MINE, (info_relay.LOCK,))
            assert info_relay.relay(one, "events", broker) == 0
        assert info_relay.relay(one, "events", broker) == 60
    assert broker.sagas == [request.saga_id for request in asked]
