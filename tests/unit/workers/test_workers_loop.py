"""The loop: acknowledges after the commit, never before; waits out the database's troubles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from workers import loop as module
from workers.loop import Loop


class Away(Exception):
    pass


class Broken(Exception):
    pass


class Bench:
    """A consumer with batches to give, and a handler that follows a script; both write one journal."""

    def __init__(self, batches: list[list[str]], script: Sequence[type[Exception] | None] = ()) -> None:
        self.batches = batches
        self.script = list(script)
        self.journal: list[str] = []
        self.loop = Loop(self, self.handle, (Away,), (Broken,))

    def batch_receive(self) -> list[str]:
        if not self.batches:
            self.loop.stop()
            return []
        return self.batches.pop(0)

    def acknowledge(self, messages: Sequence[Any]) -> None:
        self.journal.append("acknowledged " + "".join(messages))

    def handle(self, messages: Sequence[Any]) -> None:
        error = self.script.pop(0) if self.script else None
        if error is not None:
            self.journal.append("failed " + "".join(messages))
            raise error("away")
        self.journal.append("committed " + "".join(messages))


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(module, "LASTING_WAIT_S", 0.001)


def test_it_acknowledges_after_the_commit() -> None:
    bench = Bench([["a", "b"], ["c"]])
    bench.loop.run()
    assert bench.journal == ["committed ab", "acknowledged ab", "committed c", "acknowledged c"]


def test_it_tries_the_same_batch_again_and_acknowledges_it_once() -> None:
    bench = Bench([["a"], ["b"]], [Away, Away, None])
    bench.loop.run()
    assert bench.journal == [
        "failed a",
        "failed a",
        "committed a",
        "acknowledged a",
        "committed b",
        "acknowledged b",
    ]


def test_stopped_while_the_database_is_away_it_does_not_acknowledge() -> None:
    bench = Bench([["a"]], [Away])
    handle = bench.handle

    def stop_then_fail(messages: Sequence[Any]) -> None:
        bench.loop.stop()
        handle(messages)

    bench.loop._handle = stop_then_fail
    bench.loop.run()
    assert bench.journal == ["failed a"]


def test_stopped_with_a_batch_in_hand_it_finishes_it_and_takes_no_other() -> None:
    bench = Bench([["a"], ["b"]])
    handle = bench.handle

    def stop_then_commit(messages: Sequence[Any]) -> None:
        bench.loop.stop()
        handle(messages)

    bench.loop._handle = stop_then_commit
    bench.loop.run()
    assert bench.journal == ["committed a", "acknowledged a"]
    assert bench.batches == [["b"]]


def test_an_error_that_is_not_passing_ends_the_loop_unacknowledged() -> None:
    bench = Bench([["a"]], [KeyError])
    with pytest.raises(KeyError):
        bench.loop.run()
    assert bench.journal == ["failed a"]


def test_what_somebody_must_mend_is_named_until_it_is() -> None:
    bench = Bench([["a"]], [Broken, Away, Broken, None])
    handle = bench.handle
    seen: list[str | None] = []

    def look(messages: Sequence[Any]) -> None:
        seen.append(bench.loop.refusal)
        handle(messages)

    bench.loop._handle = look
    bench.loop.run()
    assert bench.journal == ["failed a", "failed a", "failed a", "committed a", "acknowledged a"]
    assert seen == [None, "away", None, "away"]
    assert bench.loop.refusal is None
