"""From a batch to the statement's parameters."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from psycopg import errors

from services.errors import Refuses, Unacceptable
from services.tracking.adapters import counting as module
from services.tracking.adapters.counting import Counter, parameters
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Probe, Rejected
from services.tracking.handlers import sort

ID = "046e7f49-31d1-46f5-a17f-568f962340e1"
DAY = date(2026, 11, 24)


def test_an_interactions_day_is_that_of_its_time() -> None:
    late = datetime(2026, 11, 24, 23, 59, 59, 999999, tzinfo=UTC)
    values = parameters(sort([Interaction(ID, "conversion", "1", "button", "7", late, 1999, "EUR")], 1), "w1")
    assert json.loads(values["interactions"]) == [
        {
            "id": ID,
            "kind": "conversion",
            "element": "1",
            "element_type": "button",
            "campaign": "7",
            "at": "2026-11-24T23:59:59.999999+00:00",
            "day": "2026-11-24",
            "amount": 1999,
            "currency": "EUR",
            "given": True,
        }
    ]
    assert (values["worker"], values["received"], values["redelivered"]) == ("w1", 1, 1)
    assert values["inbox"] == values["letters"] == "[]"


def test_probes_are_ok_and_letters_are_errors() -> None:
    rejected = Rejected("b", 1, DAY, "why", "topic", "7", {"name": "x"}, b"\x00\xff")
    values = parameters(sort([Probe("a", 0, DAY), rejected]), "w1")
    assert json.loads(values["inbox"]) == [
        {"id": "a", "generation": 0, "status": "ok", "day": "2026-11-24"},
        {"id": "b", "generation": 1, "status": "error", "day": "2026-11-24"},
    ]
    assert json.loads(values["letters"]) == [
        {
            "id": "b",
            "generation": 1,
            "topic": "topic",
            "partition_key": "7",
            "properties": {"name": "x"},
            "body": "00ff",
            "reason": "why",
        }
    ]


def test_a_dead_letter_can_always_be_stored() -> None:
    rejected = Rejected("b", 0, DAY, "bad \x00 \ud800", "topic", "k\x00", {"a\x00": "b\udfff"}, b"")
    letters = parameters(sort([rejected]), "w1")["letters"]
    assert "\\u0000" not in letters
    assert "\\ud800" not in letters
    assert "\\udfff" not in letters


class FakeConnection:
    closed = False

    def __init__(self, error: Exception) -> None:
        self.error = error

    def execute(self, *_: Any, **__: Any) -> Any:
        raise self.error

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.UntranslatableCharacter("bad"), Unacceptable),
        (errors.CheckViolation("bad"), Unacceptable),
        (errors.ProgramLimitExceeded("too big"), Unacceptable),
        (errors.AdminShutdown("away"), psycopg.Error),
        (errors.DeadlockDetected("away"), psycopg.Error),
        (errors.DiskFull("away"), psycopg.Error),
        (errors.ConnectionFailure("away"), psycopg.Error),
        (psycopg.OperationalError("the connection is lost"), psycopg.Error),
        (psycopg.InterfaceError("the connection is closed"), psycopg.Error),
        (errors.UndefinedTable("no such table"), Refuses),
        (errors.InsufficientPrivilege("not yours"), Refuses),
        (errors.DataCorrupted("bad page"), Refuses),
        (psycopg.ProgrammingError("a bug"), Refuses),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_the_databases_errors_are_told_apart(
    error: psycopg.Error, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "connect", lambda *_: FakeConnection(error))
    with pytest.raises(expected) as caught:
        Counter("postgresql://", "w1").apply(sort([Probe("a", 0, DAY)]))
    if expected is Refuses:
        assert (error.sqlstate or "ProgrammingError") in str(caught.value)


def test_what_is_refused_is_named_without_the_databases_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    error = errors.InvalidTextRepresentation('invalid input syntax for type uuid: "secret"')
    monkeypatch.setattr(module, "connect", lambda *_: FakeConnection(error))
    with pytest.raises(Unacceptable, match=r"^22P02 InvalidTextRepresentation$"):
        Counter("postgresql://", "w1").apply(sort([Probe("a", 0, DAY)]))


def test_what_is_too_much_at_once_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 300)
    monkeypatch.setattr(module, "connect", lambda *_: pytest.fail("sent"))
    with pytest.raises(Unacceptable, match="bytes are too many"):
        Counter("postgresql://", "w1").apply(sort([Rejected("b", 0, DAY, "why", "topic", "7", {}, b"x" * 150)]))
