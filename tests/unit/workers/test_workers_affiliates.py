"""The affiliates worker's wiring: its relay outlives everything, its health and metrics say what is wrong."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from services.process.stop import Stop
from tests.unit.services.affiliates import test_affiliates_handlers as affiliates
from tests.unit.services.affiliates.affiliates_fakes import FakeStore
from workers import affiliates_worker as module
from workers.affiliates_worker import Handler, Relaying
from workers.metrics import Metrics


class FakeRelay:
    """Publishes `left` messages, one a turn; raises what is in `errors` first."""

    def __init__(self, stopping: Stop, *errors: Exception) -> None:
        self.errors = list(errors)
        self.stopping = stopping
        self.did: list[str] = []

    def turn(self) -> int:
        if self.errors:
            raise self.errors.pop(0)
        self.did.append("turn")
        return 0

    def wait(self) -> None:
        self.did.append("wait")
        self.stopping.set()

    def drop(self) -> None:
        self.did.append("drop")

    def close(self) -> None:
        self.did.append("close")


@pytest.mark.parametrize("error", [psycopg.OperationalError("gone"), KeyError("bug")])
def test_the_relay_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    stopping = Stop()
    relay: Any = FakeRelay(stopping, error)
    relaying = Relaying(relay, stopping)
    with capture_logs() as lines:
        relaying.run()
    assert relay.did == ["drop", "turn", "wait", "close"]
    assert relaying.database_answers
    assert [line["log_level"] for line in lines] == ["warning" if isinstance(error, psycopg.Error) else "error"]


def test_a_batch_is_carried_out_counted_and_told_by_ids_alone() -> None:
    figures = CollectorRegistry()
    handler = Handler(FakeStore(), affiliates.TOPICS, affiliates.EVENTS, Metrics("affiliates_worker", figures))
    bad = affiliates.command("CreatePost", {"title": "secret"}, affiliates.SAGA, 9, correlationId="walk")
    with capture_logs() as lines:
        handler([each.message for each in (affiliates.CREATE, affiliates.CREATE, bad)])

    def messages(outcome: str) -> float | None:
        return figures.get_sample_value("affiliates_worker_messages_total", {"outcome": outcome})

    assert (messages("ok"), messages("error"), messages("absorbed")) == (1, 1, 1)
    assert [line["event"] for line in lines] == ["message done", "message absorbed", "message refused"]
    assert (lines[2]["correlation_id"], lines[2]["reason"]) == ("walk", "content: is required")
    assert "secret" not in repr(lines) and "ana@example.org" not in repr(lines)


def test_a_batch_that_the_database_did_not_take_is_a_failed_one() -> None:
    def away(_: Any) -> bool:
        raise psycopg.OperationalError("gone")

    figures = CollectorRegistry()
    handler = Handler(FakeStore(away), affiliates.TOPICS, affiliates.EVENTS, Metrics("affiliates_worker", figures))
    with pytest.raises(psycopg.OperationalError):
        handler([affiliates.CREATE.message])
    assert figures.get_sample_value("affiliates_worker_failed_batches_total") == 1
