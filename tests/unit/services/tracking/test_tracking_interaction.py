"""The rules of an interaction, one row each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.bodies import MAX_TEXT
from services.errors import RuleBroken
from services.tracking.adapters.decoding import read
from services.tracking.adapters.encoding import encode
from services.tracking.domain.interaction import MAX_AMOUNT, fingerprint, own_id, parse

ID = "046e7f49-31d1-46f5-a17f-568f962340e1"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BODY: dict[str, Any] = {
    "interaction_type": "click",
    "target_element_id": "123",
    "target_element_type": "button",
    "campaign_id": "123",
}
SALE: dict[str, Any] = {**BODY, "interaction_type": "conversion", "amount": 1999, "currency": "EUR"}
MISSING = object()


def broken(body: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(RuleBroken) as caught:
        parse(body, ID, NOW)
    return caught.value.field, caught.value.rule


@pytest.mark.parametrize("kind", ["click", "view", "like"])
def test_the_documents_body_is_an_interaction(kind: str) -> None:
    found = parse({**BODY, "interaction_type": kind}, ID, NOW)
    assert (found.id, found.interaction_type, found.timestamp) == (ID, kind, NOW)
    assert (found.amount, found.currency) == (None, None)


def test_a_conversion_has_an_amount_in_minor_units() -> None:
    found = parse(SALE, ID, NOW)
    assert (found.amount, found.currency) == (1999, "EUR")


def test_members_that_we_do_not_know_are_ignored() -> None:
    assert parse({**BODY, "admin": True, "counted_by": "x"}, ID, NOW) == parse(BODY, ID, NOW)


@pytest.mark.parametrize("field", ["interaction_type", "target_element_id", "target_element_type", "campaign_id"])
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (MISSING, "required"),
        (None, "required"),
        (7, "string"),
        (True, "string"),
        (["123"], "string"),
        ({}, "string"),
        ("", "length"),
        ("x" * (MAX_TEXT + 1), "length"),
        ("a\x00b", "characters"),
        ("a\ud800b", "characters"),
        ("\udfff", "characters"),
    ],
)
def test_a_text_that_breaks_a_rule_is_named(field: str, value: object, rule: str) -> None:
    body = {**BODY, field: value}
    if value is MISSING:
        del body[field]
    assert broken(body) == (field, rule)


@pytest.mark.parametrize("kind", ["CLICK", "buy", "click "])
def test_an_unknown_type_is_named(kind: str) -> None:
    assert broken({**BODY, "interaction_type": kind}) == ("interaction_type", "choice")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount": None}, ("amount", "required")),
        ({"amount": 19.99}, ("amount", "integer")),
        ({"amount": "1999"}, ("amount", "integer")),
        ({"amount": True}, ("amount", "integer")),
        ({"amount": -1}, ("amount", "range")),
        ({"amount": MAX_AMOUNT + 1}, ("amount", "range")),
        ({"currency": None}, ("currency", "required")),
        ({"currency": "eur"}, ("currency", "currency")),
        ({"currency": "EURO"}, ("currency", "currency")),
        ({"currency": "E1R"}, ("currency", "currency")),
        ({"currency": 978}, ("currency", "currency")),
        ({"interaction_type": "click"}, ("amount", "conversion")),
    ],
)
def test_money_that_breaks_a_rule_is_named(change: dict[str, Any], expected: tuple[str, str]) -> None:
    assert broken({**SALE, **change}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T10:00:00Z", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24T10:00:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24T23:30:00-05:00", datetime(2026, 11, 25, 4, 30, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_in_utc(text: str, expected: datetime) -> None:
    assert parse({**BODY, "timestamp": text}, ID, NOW).timestamp == expected


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (1790000000, "string"),
        ("", "time"),
        ("yesterday", "time"),
        ("20000-01-01T00:00:00Z", "time"),
        ("9999-12-31T23:59:59-05:00", "time"),
        ("1969-12-31T23:59:59Z", "range"),
        ("0001-01-01T00:00:00+05:00", "time"),
        ("2026-11-24T10:00:00\x00", "time"),
    ],
)
def test_a_time_that_breaks_a_rule_is_named(value: object, rule: str) -> None:
    assert broken({**BODY, "timestamp": value}) == ("timestamp", rule)


def test_a_callers_id_is_canonical() -> None:
    assert own_id({"interaction_id": ID.upper().replace("-", "")}) == ID
    assert own_id({"interaction_id": None}) is own_id({}) is None


@pytest.mark.parametrize("value", ["", "7", 7, [], "x" * 36])
def test_an_id_that_is_no_uuid_is_named(value: object) -> None:
    with pytest.raises(RuleBroken) as caught:
        own_id({"interaction_id": value})
    assert (caught.value.field, caught.value.rule) == ("interaction_id", "uuid")


LATER = NOW.replace(hour=13)


@pytest.mark.parametrize(
    "same",
    [
        {"interaction_id": ID},
        {"unknown": 1},
        {"timestamp": None},
    ],
)
def test_bodies_that_say_the_same_share_a_fingerprint(same: dict[str, Any]) -> None:
    assert fingerprint(parse({**SALE, **same}, "another", LATER)) == fingerprint(parse(SALE, ID, NOW))


def test_a_time_has_one_fingerprint_however_it_is_written() -> None:
    written = ("2026-11-24T10:00:00Z", "2026-11-24T12:00:00+02:00")
    assert len({fingerprint(parse({**BODY, "timestamp": time}, ID, NOW)) for time in written}) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"interaction_type": "view", "amount": None, "currency": None},
        {"target_element_id": "124"},
        {"target_element_type": "link"},
        {"campaign_id": "124"},
        {"target_element_id": "123button", "target_element_type": "x"},
        {"timestamp": "2026-11-24T10:00:00Z"},
        {"amount": 2000},
        {"currency": "USD"},
    ],
)
def test_bodies_that_say_something_else_have_another_fingerprint(other: dict[str, Any]) -> None:
    assert fingerprint(parse({**SALE, **other}, ID, NOW)) != fingerprint(parse(SALE, ID, NOW))


@pytest.mark.parametrize("body", [BODY, {**SALE, "timestamp": "2026-11-24T10:00:00Z"}])
def test_a_worker_finds_the_fingerprint_that_the_api_found(body: dict[str, Any]) -> None:
    accepted = parse(body, ID, NOW)
    counted = parse(read(encode(accepted)), ID, LATER, stamped=not accepted.timestamp_given)
    assert fingerprint(counted) == fingerprint(accepted)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*SALE, "timestamp"]), json_values))
def test_a_body_is_an_interaction_or_breaks_a_named_rule(change: dict[str, Any]) -> None:
    try:
        found = parse({**SALE, **change}, ID, NOW)
    except RuleBroken as error:
        assert error.field in SALE or error.field == "timestamp"
    else:
        assert found.timestamp.tzinfo is UTC
        assert 1970 <= found.timestamp.year <= 9999
