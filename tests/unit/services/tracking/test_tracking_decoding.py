"""What each kind of message turns out to be."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.adapters.decoding import STAMPED, decode, reject
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Probe, Rejected
from tests.unit.services.tracking.tracking_fakes import FakeMessage, FakeMessageId

ID = "046e7f49-31d1-46f5-a17f-568f962340e1"
BODY = {
    "interaction_id": ID,
    "interaction_type": "click",
    "target_element_id": "123",
    "target_element_type": "button",
    "campaign_id": "123",
}
NAMED = {"name": "TrackInteraction"}


def test_a_command_is_an_interaction_at_its_publication() -> None:
    message = FakeMessage(json.dumps(BODY).encode(), NAMED)
    assert decode(message) == Interaction(
        ID,
        "click",
        "123",
        "button",
        "123",
        datetime.fromtimestamp(1_790_000_000, UTC),
        timestamp_given=False,
    )


def test_a_command_says_who_gave_its_time() -> None:
    body = json.dumps({**BODY, "timestamp": "2026-11-24T10:00:00Z"}).encode()
    for properties, by_caller in ((NAMED, True), ({**NAMED, STAMPED: "true"}, False)):
        outcome = decode(FakeMessage(body, properties))
        assert isinstance(outcome, Interaction)
        assert (outcome.timestamp, outcome.timestamp_given) == (datetime(2026, 11, 24, 10, tzinfo=UTC), by_caller)


@pytest.mark.parametrize("body", [b'{"demo":true}', b"", b"\x00\xff" * 512])
def test_a_message_without_a_name_is_a_probe_whatever_it_holds(body: bytes) -> None:
    outcome = decode(FakeMessage(body))
    assert isinstance(outcome, Probe)
    assert outcome.day == date(2026, 9, 21)


def test_a_probe_redelivered_has_the_same_id_and_its_neighbour_another() -> None:
    first, again = decode(FakeMessage()), decode(FakeMessage(redelivered=1))
    neighbour = decode(FakeMessage(at=FakeMessageId(index=4)))
    assert first == again
    assert isinstance(first, Probe)
    assert isinstance(neighbour, Probe)
    assert first.id != neighbour.id


@pytest.mark.parametrize(
    ("body", "named", "reason"),
    [
        (b"{}", {"name": "DeleteEverything"}, "unknown name 'DeleteEverything'"),
        (b"{}", {"name": ""}, "unknown name ''"),
        (b"not json", NAMED, "the body must be JSON"),
        (b"", NAMED, "the body must be JSON"),
        (b"\xff\xfe{}", NAMED, "the body must be JSON"),
        (b"[" * 100_000, NAMED, "the body must be JSON"),
        (b'{"interaction_id":' + b"9" * 5000 + b"}", NAMED, "the body must be JSON"),
        (b'{"amount":NaN}', NAMED, "the body must be JSON"),
        (b'{"amount":-Infinity}', NAMED, "the body must be JSON"),
        (b"[]", NAMED, "the body must be a JSON object"),
        (b"{}", NAMED, "interaction_id: is required"),
        (json.dumps({**BODY, "interaction_id": 7}).encode(), NAMED, "interaction_id: must be a UUID"),
        (json.dumps({**BODY, "campaign_id": "\x00"}).encode(), NAMED, "campaign_id: must not contain U+0000"),
        (
            json.dumps({**BODY, "campaign_id": "\ud800"}).encode(),
            NAMED,
            "campaign_id: must not contain a lone surrogate",
        ),
        (
            json.dumps({**BODY, "timestamp": "20000-01-01"}).encode(),
            NAMED,
            "timestamp: must be an ISO 8601 time",
        ),
        (b"{}", None, "a property is not UTF-8"),
    ],
)
def test_a_message_that_breaks_a_rule_is_kept_as_it_came(
    body: bytes, named: dict[str, str] | None, reason: str
) -> None:
    outcome = decode(FakeMessage(body, named))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason
    assert outcome.body == body
    assert (outcome.partition_key, outcome.properties) == ("7", named or {})


def test_a_key_that_is_not_utf8_does_no_harm() -> None:
    assert reject(FakeMessage(key=None), "why").partition_key == ""


@pytest.mark.parametrize("published_ms", [0, 2**64 - 1])
def test_any_publish_time_has_a_day(published_ms: int) -> None:
    outcome = decode(FakeMessage(published_ms=published_ms))
    assert isinstance(outcome, Probe)
    assert outcome.day == date(1970, 1, 1)


def test_a_replayed_dead_letter_keeps_its_id_under_a_new_generation() -> None:
    outcome = decode(FakeMessage(b"", {**NAMED, "deadLetterId": ID, "deadLetterGeneration": "2"}))
    assert isinstance(outcome, Rejected)
    assert (outcome.id, outcome.generation) == (ID, 2)


@pytest.mark.parametrize(
    "about",
    [
        {"deadLetterId": "x", "deadLetterGeneration": "1"},
        {"deadLetterId": ID, "deadLetterGeneration": "-1"},
        {"deadLetterId": ID, "deadLetterGeneration": "9999999999"},
        {"deadLetterId": ID, "deadLetterGeneration": "²"},
        {"deadLetterId": ID},
    ],
)
def test_a_replay_that_makes_no_sense_counts_by_its_position(about: dict[str, str]) -> None:
    outcome = decode(FakeMessage(b"", {**NAMED, **about}))
    plain = decode(FakeMessage(b"", NAMED))
    assert isinstance(outcome, Rejected)
    assert isinstance(plain, Rejected)
    assert (outcome.id, outcome.generation) == (plain.id, 0)


@given(
    st.binary(),
    st.dictionaries(st.sampled_from(["name", "deadLetterId", "deadLetterGeneration", "x"]), st.text()),
)
def test_nothing_makes_decoding_fail(body: bytes, named: dict[str, str]) -> None:
    assert isinstance(decode(FakeMessage(body, named)), Probe | Rejected)
