"""Reads what was counted. Every query is bounded by an index or by the number of days, but for a page
of one type: it reads on until it is full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, text, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from services.storage.database import connect
from services.storage.reading import Position, engine
from services.tracking.adapters.tables import CampaignCountRow, DailyStatusRow, InteractionRow

DEPTHS = """
SELECT (SELECT coalesce(sum(rows), 0) FROM outbox_size), (SELECT count(*) FROM dead_letters WHERE published_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which interactions: of a campaign, of a type, from a moment (UTC) on, and before one. None is any."""

    campaign_id: str | None = None
    interaction_type: str | None = None
    first: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class CampaignCount:
    """How many interactions of a type a campaign got; of conversions, also the sum in minor units of a currency."""

    campaign_id: str
    interaction_type: str
    currency: str
    count: int
    amount: int


class Reading:
    """Queries on a small pool; dead connections are noticed before they are used."""

    def __init__(self, sqlalchemy_url: str, conninfo: str) -> None:
        self._conninfo = conninfo
        self._engine = engine(sqlalchemy_url, "alpes-tracking")

    def outbox_rows(self) -> int:
        """How many events wait in the outbox; cheap, whatever their number.

        Raises within two seconds if the database does not answer: a new connection's wait is bounded.
        """
        with connect(self._conninfo, "alpes-ready", connect_timeout=2) as connection:
            row = connection.execute("SELECT coalesce(sum(rows), 0) FROM outbox_size").fetchone()
        return int(row[0]) if row else 0

    def depths(self) -> tuple[int, int]:
        """How many events wait in the outbox, and how many dead letters aren't published."""
        with self._engine.connect() as connection:
            outbox, letters = connection.execute(text(DEPTHS)).one()
        return int(outbox), int(letters)

    def one(self, event_id: UUID) -> InteractionRow | None:
        with Session(self._engine) as session:
            return session.get(InteractionRow, event_id)

    def newest(self, limit: int, after: Position | None, wanted: Wanted) -> Sequence[InteractionRow]:
        """Newest first by their own time, from behind a position."""
        time, event_id = col(InteractionRow.timestamp), col(InteractionRow.id)
        query = select(InteractionRow).order_by(time.desc(), event_id.desc()).limit(limit)
        if wanted.campaign_id is not None:
            query = query.where(col(InteractionRow.campaign_id) == wanted.campaign_id)
        if wanted.interaction_type is not None:
            query = query.where(col(InteractionRow.interaction_type) == wanted.interaction_type)
        if wanted.first is not None:
            query = query.where(time >= wanted.first)
        if wanted.before is not None:
            query = query.where(time < wanted.before)
        if after is not None:
            query = query.where(tuple_(time, event_id) < after)
        with Session(self._engine) as session:
            return session.exec(query).all()

    def daily(self, first: date | None, last: date | None) -> Sequence[DailyStatusRow]:
        """Day descending, then status."""
        day, status = col(DailyStatusRow.day), col(DailyStatusRow.status)
        query = select(DailyStatusRow).order_by(day.desc(), status)
        if first is not None:
            query = query.where(day >= first)
        if last is not None:
            query = query.where(day <= last)
        with Session(self._engine) as session:
            return session.exec(query).all()

    def campaigns(
        self, limit: int, after: str | None, campaign_id: str | None, first: date | None, last: date | None
    ) -> Sequence[CampaignCount]:
        """By campaign, type and currency: of one campaign, or of the first `limit` behind `after`."""
        row = CampaignCountRow
        campaign, kind, currency = col(row.campaign_id), col(row.interaction_type), col(row.currency)
        chosen = [] if campaign_id is None else [campaign == campaign_id]
        chosen += [] if first is None else [col(row.day) >= first]
        chosen += [] if last is None else [col(row.day) <= last]
        page = select_columns(campaign).where(*chosen).distinct().order_by(campaign).limit(limit)
        if after is not None:
            page = page.where(campaign > after)
        query = (
            select_columns(campaign, kind, currency, func.sum(col(row.count)), func.sum(col(row.amount)))
            .where(campaign.in_(page), *chosen)
            .group_by(campaign, kind, currency)
            .order_by(campaign, kind, currency)
        )
        with Session(self._engine) as session:
            found = session.connection().execute(query).all()
        return [CampaignCount(name, of, unit, int(count), int(amount)) for name, of, unit, count, amount in found]

    def close(self) -> None:
        self._engine.dispose()
