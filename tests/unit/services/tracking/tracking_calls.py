"""Calls of the tracking API, driven as ASGI, and what its database would have read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import OperationalError

from services.errors import NothingAttempted
from services.tracking.accepting import Accepting
from services.tracking.adapters.reading import CampaignCount, Wanted
from services.tracking.adapters.tables import DailyStatusRow, InteractionRow
from services.tracking.api.app import Application
from services.tracking.domain.recent import Recent
from tests.unit.services.asgi import Answer, ask
from tests.unit.services.tracking.tracking_fakes import FakeOutbox, FakePublisher

ID = "046e7f49-31d1-46f5-a17f-568f962340e1"
REQUEST = "0123456789abcdef0123456789abcdef"
BODY = {
    "interaction_type": "click",
    "target_element_id": "123",
    "target_element_type": "button",
    "campaign_id": "123",
}
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def row(number: int) -> InteractionRow:
    return InteractionRow(
        **BODY, id=UUID(int=number), timestamp=AT, day=AT.date(), counted_by="w", created_at=AT, updated_on=AT
    )


class FakeReading:
    def __init__(self, rows: Sequence[InteractionRow] = (), away: bool = False) -> None:
        self.rows = rows
        self.away = away
        self.waiting = 0
        self.asked: list[Any] = []

    def _answer(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.away:
            raise OperationalError("SELECT 1", {}, ConnectionError("refused"))

    def outbox_rows(self) -> int:
        self._answer()
        return self.waiting

    def one(self, event_id: UUID) -> InteractionRow | None:
        self._answer(event_id)
        return next((row for row in self.rows if row.id == event_id), None)

    def newest(self, limit: int, after: Any, wanted: Wanted) -> Sequence[InteractionRow]:
        self._answer(limit, after, wanted)
        return self.rows[:limit]

    def daily(self, first: date | None, last: date | None) -> Sequence[DailyStatusRow]:
        self._answer(first, last)
        return [DailyStatusRow(day=AT.date(), status="ok", count=2)]

    def campaigns(self, *asked: Any) -> Sequence[CampaignCount]:
        self._answer(*asked)
        return [
            CampaignCount("a", "click", "", 3, 0),
            CampaignCount("a", "conversion", "EUR", 2, 1250),
            CampaignCount("a", "conversion", "USD", 1, 99),
            CampaignCount("b", "view", "", 1, 0),
        ]


def call(
    method: str,
    target: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    publisher: FakePublisher | None = None,
    reading: FakeReading | None = None,
    outbox: FakeOutbox | None = None,
    recent: Recent | None = None,
    chunks: list[bytes] | None = None,
) -> Answer:
    broker = publisher or FakePublisher()
    accepting = Accepting(broker, outbox or FakeOutbox(NothingAttempted("the database is away")), recent or Recent())
    app = Application(accepting, broker, reading or FakeReading(), 10)  # type: ignore[arg-type]
    return ask(app, method, target, body, headers, chunks)


def post(body: Any = BODY, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call("POST", "/tracking/interactions", raw, {"Content-Type": "application/json", **(headers or {})}, **more)
