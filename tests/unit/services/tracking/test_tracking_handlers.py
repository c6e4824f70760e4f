"""Batches: sorted, counted once, the culprit singled out."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Outcome, Probe, Rejected
from services.tracking.handlers import count, sort
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
    assert count(store, [event(1), event(2)], 0, lambda i, why: letter(i, why)) == 2
    assert count(store, [event(2), event(3)], 1, lambda i, why: letter(i, why)) == 1
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
    assert new == size
    assert set(store.rows) == {f"id-{n}" for n in set(range(size)) - bad} | {(f"letter-{n}", 0) for n in bad}
    assert store.redelivered == 3
    assert sum(batch.messages for batch in store.batches) == size


def test_the_stores_own_trouble_passes_through() -> None:
    class Away(FakeStore):
        def apply(self, batch: object) -> int:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        count(Away(), [event(1)], 0, lambda i, why: letter(i, why))
