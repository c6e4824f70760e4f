"""Reads affiliates, posts and costs. Every page is bounded by an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, tuple_
from sqlmodel import Session, col, select

from services.affiliates.adapters.tables import AffiliateRow, InboxRow, OutboxRow, PostCostRow, PostRow
from services.storage.database import connect
from services.storage.reading import Position, engine


class Reading:
    """Queries on a small pool."""

    def __init__(self, sqlalchemy_url: str, conninfo: str) -> None:
        self._conninfo = conninfo
        self._engine: Engine = engine(sqlalchemy_url, "alpes-affiliates")

    def check(self) -> None:
        """Raises within two seconds if the database does not answer: a new connection's wait is bounded."""
        with connect(self._conninfo, "alpes-affiliates-ready", connect_timeout=2) as connection:
            connection.execute("SELECT 1 FROM inbox LIMIT 1")

    def depths(self) -> tuple[int, int]:
        """How many messages wait in the outbox, and how many calculations for the tracking service."""
        waits = select(func.count()).select_from(PostCostRow).where(col(PostCostRow.calculated_at).is_(None))
        with Session(self._engine) as session:
            outbox = session.exec(select(func.count()).select_from(OutboxRow)).one()
            return outbox, session.exec(waits).one()

    def affiliate(self, affiliate_id: UUID) -> AffiliateRow | None:
        with Session(self._engine) as session:
            return session.get(AffiliateRow, affiliate_id)

    def post(self, post_id: UUID) -> PostRow | None:
        with Session(self._engine) as session:
            return session.get(PostRow, post_id)

    def calculation(self, calculation_id: UUID) -> PostCostRow | None:
        with Session(self._engine) as session:
            return session.get(PostCostRow, calculation_id)

    def refusal(self, command_id: UUID) -> str | None:
        """Why a command was refused, None if it was not, or not yet."""
        with Session(self._engine) as session:
            row = session.get(InboxRow, command_id)
            return row.refusal if row else None

    def affiliates(self, limit: int, after: Position | None) -> Sequence[AffiliateRow]:
        """Newest first, from behind a position."""
        return self._newest(AffiliateRow, limit, after)

    def posts(self, limit: int, after: Position | None, affiliate_id: UUID | None) -> Sequence[PostRow]:
        chosen = [] if affiliate_id is None else [col(PostRow.affiliate_id) == affiliate_id]
        return self._newest(PostRow, limit, after, *chosen)

    def calculations(self, limit: int, after: Position | None, post_id: UUID) -> Sequence[PostCostRow]:
        return self._newest(PostCostRow, limit, after, col(PostCostRow.post_id) == post_id)

    def _newest(self, table: type[Any], limit: int, after: Position | None, *chosen: Any) -> Sequence[Any]:
        created, row_id = col(table.created_at), col(table.id)
        query = select(table).where(*chosen).order_by(created.desc(), row_id.desc()).limit(limit)
        if after is not None:
            query = query.where(tuple_(created, row_id) < after)
        with Session(self._engine) as session:
            return session.exec(query).all()

    def totals(self) -> list[dict[str, Any]]:
        """How many there are of everything, by status; of calculations, also what they add up to."""
        found: list[dict[str, Any]] = []
        with Session(self._engine) as session:
            statuses = (
                select(AffiliateRow.status, func.count()).group_by(AffiliateRow.status).order_by(AffiliateRow.status)
            )
            for status, count in session.exec(statuses):
                found.append(_total("affiliates", status, count))
            found.append(_total("posts", "published", session.exec(select(func.count()).select_from(PostRow)).one()))
            is_done = col(PostCostRow.calculated_at).is_not(None)
            costs = select(is_done, func.count(), func.sum(PostCostRow.total_cost)).group_by(is_done).order_by(is_done)
            for done, count, total in session.exec(costs):
                found.append(_total("cost calculations", "calculated" if done else "waiting", count, total))
        return found

    def close(self) -> None:
        self._engine.dispose()


def _total(what: str, status: str, count: int, total: Any = None) -> dict[str, Any]:
    return {"what": what, "status": status, "count": count, "total_cost": None if total is None else str(total)}
