"""Ids: where they come from, and that the same input gives the same id."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity import BUCKETS, bucket, canonical, derive_id, position_id

OWN = "046e7f49-31d1-46f5-a17f-568f962340e1"
KEY = "6ceefb51-8d87-4881-9e2f-0746b2441ff6"
REQUEST = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("own", "key", "request_id", "expected"),
    [
        (OWN, KEY, REQUEST, OWN),
        (None, KEY, REQUEST, KEY),
        (None, KEY.upper(), REQUEST, KEY),
        (None, "order 17", REQUEST, str(uuid5(NAMESPACE_URL, "alpes:order 17"))),
        (None, "", REQUEST, str(UUID(REQUEST))),
        (None, None, REQUEST, str(UUID(REQUEST))),
    ],
)
def test_the_first_source_that_is_there_gives_the_id(
    own: str | None, key: str | None, request_id: str | None, expected: str
) -> None:
    assert derive_id(own, key, request_id) == expected


@pytest.mark.parametrize("request_id", [None, "", "not hexadecimal"])
def test_without_a_source_the_id_is_new(request_id: str | None) -> None:
    first, second = derive_id(None, None, request_id), derive_id(None, None, request_id)
    assert first != second
    assert UUID(first).version == 4


@given(st.uuids())
def test_every_way_to_write_a_uuid_has_one_canonical_form(value: UUID) -> None:
    assert canonical(str(value)) == canonical(value.hex) == canonical(str(value).upper()) == str(value)


@pytest.mark.parametrize("text", ["", "1", OWN + "0", "{" + OWN + "}", "urn:uuid:" + OWN, OWN + "\n", "é" * 36])
def test_what_is_no_uuid_has_no_canonical_form(text: str) -> None:
    assert canonical(text) is None


@given(st.uuids())
def test_a_bucket_is_stable_and_within_range(value: UUID) -> None:
    assert bucket(str(value)) == bucket(str(value))
    assert 0 <= int(bucket(str(value))) < BUCKETS


POSITION = ("persistent://public/default/t-partition-0", 5, 6, 7, 1_790_000_000_000)


def test_a_position_has_one_id() -> None:
    assert position_id(*POSITION) == position_id(*POSITION)
    assert canonical(position_id(*POSITION)) == position_id(*POSITION)


@pytest.mark.parametrize("member", range(5))
def test_every_part_of_a_position_is_in_its_id(member: int) -> None:
    changed = list(POSITION)
    changed[member] = "persistent://public/default/t-partition-1" if member == 0 else int(POSITION[member]) + 1
    assert position_id(*changed) != position_id(*POSITION)  # type: ignore[arg-type]
