"""Batches: sorted, counted once, the culprit singled out."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import Refuses
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Outcome, Probe, Rejected
from services.tracking.handlers import DIFFERENT, count, sort
from tests.unit.services.tracking.tracking_fakes import FakeStore

DAY = date(2026, 11, 24)


def event(number: int, campaign: str = "123") -> Interaction:
    return Interaction(f"id-{number}", "click", "1", "button", campaign, datetime(2026, 11, 24, tzinfo=UTC))


def letter(number: int, reason: str = "why") -> Rejected:
    return Rejected(f"letter-{number}", 0, DAY, reason, "topic", "1", {}, b"")


def test_a_batch_holds_each_id_once_and_knows_how_many_came() -> None:
    probe = Probe("p", 0, DAY)
    batch = sort([event(1), event(1), event(2), probe, probe, letter(1)], redelivered=2)
    assert (batch.messages, batch.redelivered) == (6, 2)
    assert (list(batch.interactions), len(batch.probes), len(batch.rejected)) == (["id-1", "id-2"], 1, 1)


def test_the_first_of_two_with_one_id_stays() -> None:
    assert sort([event(1, "first"), event(1, "second")]).interactions["id-1"].campaign_id == "first"


def test_what_comes_again_is_not_counted_again() -> None:
    store = FakeStore()
    assert count(store, [event(1), event(2)], 0, lambda i, why: letter(i, why)).ok == 2
    assert count(store, [event(2), event(3)], 1, lambda i, why: letter(i, why)).ok == 1
    assert store.redelivered == 1


def test_a_sound_batch_is_one_transaction() -> None:
    store = FakeStore()
    count(store, [event(n) for n in range(2000)], 0, lambda i, why: letter(i, why))
    assert len(store.batches) == 1


@given(st.sets(st.integers(0, 40)), st.integers(1, 40))
def test_only_the_culprits_become_dead_letters(culprits: set[int], size: int) -> None:
    def poison(outcome: Outcome) -> bool:
        return isinstance(outcome, Interaction) and int(outcome.id.removeprefix("id-")) in culprits

    store = FakeStore(poison)
    new = count(store, [event(n) for n in range(size)], 3, lambda index, why: letter(index, why))
    bad = {n for n in culprits if n < size}
    assert (new.ok, new.errors, len(new.letters)) == (size - len(bad), len(bad), len(bad))
    assert set(store.rows) == {f"id-{n}" for n in set(range(size)) - bad} | {(f"letter-{n}", 0) for n in bad}
    assert store.redelivered == 3
    assert sum(batch.messages for batch in store.batches) == size


def other(number: int) -> Interaction:
    return event(number, "another")


def test_another_content_under_an_id_is_one_error_and_changes_nothing() -> None:
    store = FakeStore()
    count(store, [event(1)], 0, letter)
    for _ in range(2):
        again = count(store, [event(1), other(1), event(2)], 0, letter)
        assert store.rows == {"id-1": event(1), "id-2": event(2), ("letter-1", 0): letter(1, DIFFERENT)}
    assert (again.ok, again.errors, again.letters) == (0, 0, [])


@pytest.mark.parametrize("outcomes", [[event(1), other(1)], [other(1), event(1)], [event(1), other(1), event(1)]])
def test_within_one_batch_the_first_of_an_id_stays_and_others_are_errors(outcomes: list[Outcome]) -> None:
    store = FakeStore()
    counted = count(store, outcomes, 0, letter)
    assert (counted.ok, counted.errors) == (1, 1)
    assert store.rows == {"id-1": outcomes[0], ("letter-1", 0): letter(1, DIFFERENT)}


def test_what_came_first_before_stays_even_if_it_comes_second_now() -> None:
    store = FakeStore()
    count(store, [event(1)], 0, letter)
    counted = count(store, [other(1), event(1), other(1)], 0, letter)
    assert (counted.ok, counted.errors) == (0, 2)
    assert set(store.rows) == {"id-1", ("letter-0", 0), ("letter-2", 0)}


@pytest.mark.parametrize(("repeat", "errors"), [(event(1), 0), (other(1), 1)])
def test_a_row_that_cannot_be_seen_yet_is_compared_once_it_can(repeat: Interaction, errors: int) -> None:
    store = FakeStore()
    count(store, [event(1)], 0, letter)
    store.unseen.add("id-1")
    assert count(store, [event(0), repeat], 0, letter).errors == errors
    assert store.rows["id-1"] == event(1)
    assert [list(batch.interactions) for batch in store.batches[1:3]] == [["id-0", "id-1"], ["id-1"]]


def test_a_time_that_the_service_gave_makes_no_difference() -> None:
    stamped = dataclasses.replace(event(1), timestamp_given=False)
    later = dataclasses.replace(stamped, timestamp=datetime(2026, 11, 25, tzinfo=UTC))
    store = FakeStore()
    assert count(store, [stamped, later], 0, letter).errors == 0
    assert count(store, [later], 0, letter).errors == 0
    assert count(store, [dataclasses.replace(later, timestamp_given=True)], 0, letter).errors == 1


def test_a_dead_letter_that_is_refused_too_goes_bare() -> None:
    def poison(outcome: Outcome) -> bool:
        return isinstance(outcome, Interaction) or (isinstance(outcome, Rejected) and outcome.properties != {})

    def reject(index: int, reason: str) -> Rejected:
        return dataclasses.replace(letter(index, reason), properties={"name": "x"})

    store = FakeStore(poison)
    assert count(store, [event(0), reject(1, "unknown name"), letter(2)], 1, reject).errors == 3
    first, second, third = (store.rows[f"letter-{number}", 0] for number in range(3))
    refused = "22P05 unsupported Unicode escape sequence"
    bare = f"kept without key and properties: {refused}"
    assert isinstance(first, Rejected)
    assert isinstance(second, Rejected)
    assert (first.reason, first.properties, first.partition_key) == (
        f"the database refuses it: {refused}; {bare}",
        {},
        "",
    )
    assert second.reason == f"unknown name; {bare}"
    assert third == letter(2)
    assert store.redelivered == 1


def test_a_store_that_refuses_even_that_must_be_mended_and_ends_nothing() -> None:
    with pytest.raises(Refuses, match="even a bare dead letter"):
        count(FakeStore(lambda _: True), [event(1), event(2)], 0, lambda i, why: letter(i, why))


def test_the_stores_own_trouble_passes_through() -> None:
    class Away(FakeStore):
        def apply(self, batch: object) -> int:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        count(Away(), [event(1)], 0, lambda i, why: letter(i, why))
