"""The tracking worker's wiring: its relay outlives everything, its health says what is wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from services.messaging.link import BrokerAway
from services.process.stop import Stop
from services.tracking.settings import Settings
from tests.unit.services.tracking.test_tracking_handlers import event
from tests.unit.services.tracking.tracking_fakes import FakeMessage, FakeMessageId, FakeStore
from workers import tracking_worker as module
from workers.ahead import Ready
from workers.metrics import Metrics
from workers.tracking_worker import Handler, Relay


class FakeLetters:
    def __init__(self, *_: Any) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def relaying(monkeypatch: pytest.MonkeyPatch) -> Relay:
    monkeypatch.setattr(module, "client", lambda _url: object())
    monkeypatch.setattr(module, "Letters", FakeLetters)
    monkeypatch.setattr(module.info_relay, "relay", lambda *_: 0)
    monkeypatch.setattr(module, "connect", lambda *_: contextlib.nullcontext())
    return Relay(Settings(), Stop(), Metrics("tracking_worker", CollectorRegistry()))


def failing(errors: list[Exception], used: list[Any]) -> Callable[..., int]:
    def relay(_database: object, letters: Callable[[], Any]) -> int:
        used.append(letters())
        if errors:
            raise errors.pop(0)
        return 1

    return relay


@pytest.mark.parametrize("error", [BrokerAway("Timeout"), KeyError("bug")])
def test_the_relay_goes_on_with_a_new_producer(
    relaying: Relay, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    used: list[FakeLetters] = []
    monkeypatch.setattr(module, "relay", failing([error], used))
    assert relaying.turn() == module.RELAY_RETRY_S
    assert relaying.turn() == 0.0
    assert used[0] is not used[1]
    assert (used[0].closed, used[1].closed) == (True, False)


def test_the_databases_trouble_keeps_the_producer(relaying: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[FakeLetters] = []
    monkeypatch.setattr(module, "relay", failing([psycopg.OperationalError()], used))
    relaying.turn()
    assert not relaying.database_answers
    relaying.turn()
    assert relaying.database_answers
    assert used[0] is used[1]


def test_dead_letters_in_trouble_hold_up_no_answers(relaying: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    answered: list[Any] = []
    monkeypatch.setattr(module, "relay", failing([BrokerAway("ProducerBlockedQuotaExceeded")], []))
    monkeypatch.setattr(module.info_relay, "relay", lambda *asked: answered.append(asked) or 0)
    assert relaying.turn() == module.RELAY_RETRY_S
    assert len(answered) == 1


def test_answers_in_trouble_hold_up_no_dead_letters(relaying: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> int:
        raise BrokerAway("TopicNotFound")

    used: list[FakeLetters] = []
    monkeypatch.setattr(module, "relay", failing([], used))
    monkeypatch.setattr(module.info_relay, "relay", away)
    assert relaying.turn() == module.RELAY_RETRY_S
    assert len(used) == 1


def handled(messages: list[FakeMessage], store: FakeStore) -> tuple[dict[str, float | None], list[Any]]:
    """What the metrics say of a batch, and the lines about it."""
    figures = CollectorRegistry()
    with capture_logs() as lines:
        Handler(store, Metrics("tracking_worker", figures))(Ready(messages, module.decoded(messages)))

    def of(outcome: str) -> float | None:
        return figures.get_sample_value("tracking_worker_messages_total", {"outcome": outcome})

    return {outcome: of(outcome) for outcome in ("ok", "error", "absorbed")}, lines


def test_a_dead_letter_leaves_one_line_with_its_ids_and_nothing_of_its_body() -> None:
    named = {"name": "TrackInteraction", "correlationId": "c" * 500, "commandId": "e-1"}
    bad = FakeMessage(b'{"interaction_id": "secret"}', named)
    store = FakeStore()
    found, lines = handled([bad, FakeMessage(b"secret", at=FakeMessageId(entry=9))], store)
    assert found == {"ok": 1, "error": 1, "absorbed": 0}
    (line,) = lines
    assert (line["event"], line["reason"]) == ("dead letter", "interaction_id: must be a UUID")
    assert (line["correlation_id"], line["interaction_id"]) == ("c" * 128, "e-1")
    assert "secret" not in str(line)
    assert handled([bad], store) == ({"ok": 0, "error": 0, "absorbed": 1}, [])


def test_a_flood_of_dead_letters_leaves_few_lines() -> None:
    flood = [FakeMessage(b"", {"name": "Odd"}, at=FakeMessageId(entry=entry)) for entry in range(100)]
    found, lines = handled(flood, FakeStore())
    assert found["error"] == 100
    assert len(lines) == module.LINES_A_BATCH + 1
    assert lines[-1]["count"] == 100 - module.LINES_A_BATCH


def test_what_the_database_does_not_take_is_a_failed_batch() -> None:
    class Away(FakeStore):
        def apply(self, batch: object) -> Any:
            raise psycopg.OperationalError

    figures = CollectorRegistry()
    with pytest.raises(psycopg.OperationalError):
        Handler(Away(), Metrics("tracking_worker", figures))(Ready([FakeMessage()], [event(1)]))
    assert figures.get_sample_value("tracking_worker_failed_batches_total") == 1
    assert figures.get_sample_value("tracking_worker_batch_messages_count") == 0
