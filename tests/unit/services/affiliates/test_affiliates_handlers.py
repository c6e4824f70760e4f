"""Commands take effect once each, in order; what can't is refused, kept, and holds up nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.affiliates.handlers import Handled, Outcome, Topics, handle
from services.affiliates.messages import Incoming, decode
from services.errors import Refuses
from services.messaging.letters import LETTER_GENERATION, LETTER_ID
from services.messaging.messages import place
from tests.unit.services.affiliates.affiliates_fakes import FakeStore
from tests.unit.services.tracking.tracking_fakes import FakeMessage, FakeMessageId

COMMANDS = "persistent://public/default/commands.affiliates"
EVENTS = "persistent://public/default/events.tracking"
TOPICS = Topics("persistent://public/default/events.affiliates", "persistent://public/default/commands.tracking")
ANA, POST, SAGA = (f"0b7a8a7e-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
NEW_ANA = {"name": "Ana", "email": "ana@example.org", "program_id": "p"}
NEW_POST = {"title": "t", "content": "c", "affiliate_id": ANA, "brand_id": "b"}
DAYS = {"post_id": POST, "start_date": "2026-11-01", "end_date": "2026-11-30"}


def command(name: str, body: object, own: str = "", entry: int = 0, **properties: str) -> Incoming:
    named = {"name": name, **({"commandId": own} if own else {}), **properties}
    message = FakeMessage(json.dumps(body).encode(), named, topic=f"{COMMANDS}-partition-0", at=FakeMessageId(1, entry))
    return decode(message, EVENTS)


def info(total: int = 12, saga: str = SAGA) -> Incoming:
    body = {"saga_id": saga, "payload": {"post_id": POST, "total_interactions": total}}
    named = {"name": "InteractionsInfoBuilt", "correlationId": "walk"}
    return decode(FakeMessage(json.dumps(body).encode(), named, topic=EVENTS, at=FakeMessageId(9, total)), EVENTS)


NO_AFFILIATE = "affiliate_id: there is no such affiliate"
SURROGATE = "msg_id: must not contain a lone surrogate"
OTHER = "its id is there already, with another content"

CREATE = command("CreateAffiliate", NEW_ANA, ANA, 1)
PUBLISH = command("CreatePost", NEW_POST, POST, 2)
CALCULATE = command("CalculateCost", {"saga_id": SAGA, "payload": DAYS}, SAGA, 3, correlationId="walk")


def outcomes(handled: list[Handled]) -> list[str]:
    return [one.outcome.value for one in handled]


def test_a_batch_is_one_transaction_in_its_order() -> None:
    store = FakeStore()
    assert outcomes(handle(store, [CREATE, PUBLISH, CALCULATE, info()], TOPICS)) == ["done"] * 4
    assert store.transactions == 1


def test_a_cost_is_asked_for_calculated_and_told() -> None:
    store = FakeStore()
    handle(store, [CREATE, PUBLISH, CALCULATE], TOPICS)
    asked = store.tables.outbox[-1]
    assert (asked.topic, asked.key) == (TOPICS.tracking_commands, ANA)
    assert asked.properties["name"] == "BuildInteractionsInfo"
    assert json.loads(asked.body)["payload"] == DAYS
    handle(store, [info(12)], TOPICS)
    told = store.tables.outbox[-1]
    assert (told.topic, told.key, told.properties["correlationId"]) == (TOPICS.events, ANA, "walk")
    payload = json.loads(told.body)["payload"]
    assert (payload["total_cost"], payload["interactions_count"], payload["brand_id"]) == ("1.920", 12, "b")


@pytest.mark.parametrize("again", [CREATE, PUBLISH, CALCULATE, info()], ids=lambda incoming: incoming.name)
def test_what_comes_again_has_no_second_effect(again: Incoming) -> None:
    store = FakeStore()
    handle(store, [CREATE, PUBLISH, CALCULATE, info()], TOPICS)
    before = (len(store.tables.outbox), len(store.tables.affiliates), len(store.tables.posts), len(store.tables.costs))
    assert outcomes(handle(store, [again, again], TOPICS)) == ["absorbed", "absorbed"]
    now = (len(store.tables.outbox), len(store.tables.affiliates), len(store.tables.posts), len(store.tables.costs))
    assert now == before


def test_a_second_answer_of_tracking_changes_no_cost() -> None:
    store = FakeStore()
    handle(store, [CREATE, PUBLISH, CALCULATE, info(12)], TOPICS)
    assert outcomes(handle(store, [info(99)], TOPICS)) == ["ignored"]
    _, _, found = store.tables.costs[SAGA]
    assert found is not None and found.interactions_count == 12
    assert [message.properties["name"] for message in store.tables.outbox].count("CostCalculated") == 1


def test_the_answer_to_somebody_elses_question_is_let_go() -> None:
    store = FakeStore()
    assert outcomes(handle(store, [info()], TOPICS)) == ["ignored"]
    assert store.tables.outbox == []


@pytest.mark.parametrize(
    ("incoming", "reason"),
    [
        (command("CreateAffiliate", NEW_ANA, POST, 7), "email: is another affiliate's"),
        (command("CreateAffiliate", {**NEW_ANA, "email": "x"}, POST, 7), "email: must be an e-mail address"),
        (
            command("CreatePost", {**NEW_POST, "affiliate_id": SAGA}, POST, 7),
            NO_AFFILIATE,
        ),
        (command("SuspendAffiliate", {"affiliate_id": SAGA}, POST, 7), NO_AFFILIATE),
        (CALCULATE, "post_id: there is no such post"),
        (
            command("CreateAffiliate", {**NEW_ANA, "name": "Eve"}, ANA, 7),
            OTHER,
        ),
        (command("Nonsense", {}, POST, 7), "unknown name 'Nonsense'"),
        (command("", {}, POST, 7), "there is no name"),
        (command("CreatePost", [], POST, 7), "the body must be a JSON object"),
        (command("CreatePost", {**NEW_POST, "affiliate_id": ANA, "msg_id": "\ud800"}, "", 7), SURROGATE),
        (command("CreateAffiliate", {**NEW_ANA, "msg_id": 7}, "", 7), "msg_id: must be a string"),
    ],
    ids=lambda value: value.name if isinstance(value, Incoming) else None,
)
def test_what_can_not_be_done_is_a_dead_letter_once(incoming: Incoming, reason: str) -> None:
    store = FakeStore()
    handle(store, [CREATE], TOPICS)
    handled = handle(store, [incoming, incoming], TOPICS)
    assert outcomes(handled) == ["refused", "absorbed"]
    assert handled[0].reason == reason
    (letter,) = store.tables.outbox
    assert letter.topic == f"{COMMANDS}-DLQ"
    assert letter.properties["deadLetterReason"] == reason
    assert letter.body == incoming.message.data()


def test_a_dead_letter_that_comes_again_as_the_next_generation_is_judged_anew() -> None:
    store = FakeStore()
    early = command("CreatePost", NEW_POST, POST, 5)
    assert outcomes(handle(store, [early], TOPICS)) == ["refused"]
    (letter,) = store.tables.outbox
    handle(store, [CREATE], TOPICS)
    properties = {**letter.properties, LETTER_GENERATION: "1"}
    again = decode(FakeMessage(letter.body, properties, topic=COMMANDS, at=FakeMessageId(1, 50)), EVENTS)
    assert letter.properties[LETTER_ID] and outcomes(handle(store, [again, again], TOPICS)) == ["done", "absorbed"]
    assert list(store.tables.posts) == [POST]


def misspelt(**properties: str) -> Incoming:
    """A command by its place, whose name nobody knows."""
    return command("CreatePots", NEW_POST, "", 5, **properties)


def test_what_was_done_from_its_corrected_letter_is_absorbed_when_it_comes_again() -> None:
    store = FakeStore()
    assert outcomes(handle(store, [CREATE, misspelt()], TOPICS)) == ["done", "refused"]
    (letter,) = store.tables.outbox
    corrected = {**letter.properties, "name": "CreatePost", LETTER_GENERATION: "1"}
    again = decode(FakeMessage(letter.body, corrected, topic=COMMANDS, at=FakeMessageId(1, 50)), EVENTS)
    assert outcomes(handle(store, [again], TOPICS)) == ["done"]
    assert outcomes(handle(store, [misspelt()], TOPICS)) == ["absorbed"]
    assert store.tables.outbox == [letter]


def test_a_letter_under_the_id_of_what_is_done_is_refused_under_its_place() -> None:
    store = FakeStore()
    handle(store, [CREATE], TOPICS)
    forged = misspelt(**{LETTER_ID: ANA, LETTER_GENERATION: "1"})
    assert outcomes(handle(store, [forged, forged], TOPICS)) == ["refused", "absorbed"]
    (letter,) = store.tables.outbox
    assert letter.id == place(forged.message)
    assert letter.properties["deadLetterReason"] == "unknown name 'CreatePots'"


def test_what_the_database_refuses_is_singled_out() -> None:
    store = FakeStore(lambda incoming: incoming.name == "CreatePost" and incoming.command is not None)
    handled = handle(store, [CREATE, PUBLISH, command("ActivateAffiliate", {"affiliate_id": ANA}, "", 8)], TOPICS)
    assert outcomes(handled) == ["done", "refused", "done"]
    assert store.tables.affiliates[ANA][1] == "active"
    assert "22P05" in (handled[1].reason or "")
    assert [message.topic for message in store.tables.outbox] == [f"{COMMANDS}-DLQ"]


def test_a_database_that_refuses_even_the_letter_must_be_mended() -> None:
    store = FakeStore(lambda incoming: incoming.name == "CreatePost")
    with pytest.raises(Refuses):
        handle(store, [PUBLISH], TOPICS)
    assert store.tables.inbox == {}


@pytest.mark.parametrize("error", [ConnectionError("gone"), KeyError("bug")])
def test_any_other_error_passes_and_leaves_nothing(error: Exception) -> None:
    def fail(_: Incoming) -> bool:
        raise error

    store = FakeStore(fail)
    with pytest.raises(type(error)):
        handle(store, [CREATE], TOPICS)
    assert store.tables.affiliates == {}


def test_other_events_of_tracking_are_somebody_elses() -> None:
    store = FakeStore()
    named: dict[str, Any] = {"name": "SomethingElse"}
    incoming = decode(FakeMessage(b"\xff", named, topic=f"{EVENTS}-partition-3"), EVENTS)
    assert [one.outcome for one in handle(store, [incoming], TOPICS)] == [Outcome.IGNORED]
    assert store.tables.inbox == {}
