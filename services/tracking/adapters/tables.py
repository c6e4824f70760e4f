"""The tables, for reading. Their DDL is the migrations'; a test compares the two."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, Integer, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


def _text(**more: Any) -> Any:
    return Field(sa_type=Text, **more)


def _now() -> Any:
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        nullable=False,
        sa_column_kwargs={"server_default": func.now()},
    )


class InteractionRow(SQLModel, table=True):
    """One counted interaction. Never updated: its transaction's commit time is when it was counted."""

    __tablename__ = "interactions"
    __table_args__ = (Index("interactions_newest", "timestamp", "id"),)

    id: UUID = Field(primary_key=True)
    interaction_type: str = _text()
    target_element_id: str = _text()
    target_element_type: str = _text()
    campaign_id: str = _text()
    timestamp: datetime = Field(sa_type=DateTime(timezone=True))
    day: date = Field(sa_type=Date)
    amount: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = _text(default=None)
    counted_by: str = _text()
    created_at: datetime = _now()
    updated_on: datetime = _now()


class InboxRow(SQLModel, table=True):
    """One counted message that is no interaction: a probe (ok) or what could not be counted (error)."""

    __tablename__ = "inbox"

    id: UUID = Field(primary_key=True)
    generation: int = Field(default=0, primary_key=True, sa_column_kwargs={"server_default": text("0")})
    status: str = _text()
    day: date = Field(sa_type=Date)
    counted_by: str = _text()
    created_at: datetime = _now()


class DeadLetterRow(SQLModel, table=True):
    """A message that could not be counted, as it came; `published_at` is set by the relay."""

    __tablename__ = "dead_letters"
    __table_args__ = (Index("dead_letters_pending", "created_at", postgresql_where=text("published_at IS NULL")),)

    id: UUID = Field(primary_key=True)
    generation: int = Field(
        default=0, primary_key=True, sa_type=Integer, sa_column_kwargs={"server_default": text("0")}
    )
    topic: str = _text()
    partition_key: str = _text()
    properties: dict[str, str] = Field(sa_type=JSONB)
    body: bytes = Field(sa_type=LargeBinary)
    reason: str = _text()
    created_at: datetime = _now()
    published_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class DailyStatusRow(SQLModel, table=True):
    """How many messages of a day were counted with a status."""

    __tablename__ = "conversion_daily_status"

    day: date = Field(sa_type=Date, primary_key=True)
    status: str = Field(sa_type=Text, primary_key=True)
    count: int = Field(sa_column=Column(BigInteger, nullable=False))


class WorkerDeliveriesRow(SQLModel, table=True):
    """What a worker received again: `redelivered` says the broker, `absorbed` were counted already."""

    __tablename__ = "worker_deliveries"

    worker: str = Field(sa_type=Text, primary_key=True)
    redelivered: int = Field(sa_type=BigInteger)
    absorbed: int = Field(sa_type=BigInteger)
