"""The tables, for reading. Their DDL is the migrations'; a test compares the two."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.storage.columns import words, written


class InteractionRow(SQLModel, table=True):
    """One counted interaction. Never updated: its transaction's commit time is when it was counted."""

    __tablename__ = "interactions"
    __table_args__ = (
        Index("interactions_newest", "timestamp", "id"),
        Index("interactions_of_campaign", "campaign_id", "timestamp", "id"),
        Index("interactions_of_target", "target_element_id", "day", "interaction_type"),
    )

    id: UUID = Field(primary_key=True)
    interaction_type: str = words()
    target_element_id: str = words()
    target_element_type: str = words()
    campaign_id: str = words()
    timestamp: datetime = Field(sa_type=DateTime(timezone=True))
    timestamp_given: bool | None = Field(default=None)
    day: date = Field(sa_type=Date)
    amount: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = words(default=None)
    counted_by: str = words()
    created_at: datetime = written()
    updated_on: datetime = written()


class InboxRow(SQLModel, table=True):
    """One counted message that is no interaction: a probe (ok) or what could not be counted (error)."""

    __tablename__ = "inbox"

    id: UUID = Field(primary_key=True)
    generation: int = Field(default=0, primary_key=True, sa_column_kwargs={"server_default": text("0")})
    status: str = words()
    day: date = Field(sa_type=Date)
    counted_by: str = words()
    created_at: datetime = written()


class DeadLetterRow(SQLModel, table=True):
    """A message that could not be counted, as it came; `published_at` is set by the relay."""

    __tablename__ = "dead_letters"
    __table_args__ = (Index("dead_letters_pending", "created_at", postgresql_where=text("published_at IS NULL")),)

    id: UUID = Field(primary_key=True)
    generation: int = Field(
        default=0, primary_key=True, sa_type=Integer, sa_column_kwargs={"server_default": text("0")}
    )
    topic: str = words()
    partition_key: str = words()
    properties: dict[str, str] = Field(sa_type=JSONB)
    body: bytes = Field(sa_type=LargeBinary)
    reason: str = words()
    created_at: datetime = written()
    published_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class InteractionsInfoRow(SQLModel, table=True):
    """The answer to a request of another service; `published_at` is set by the relay."""

    __tablename__ = "interactions_info"
    __table_args__ = (Index("interactions_info_pending", "created_at", postgresql_where=text("published_at IS NULL")),)

    id: UUID = Field(primary_key=True)
    saga_id: str = words()
    correlation_id: str = words()
    partition_key: str = words()
    post_id: str = words()
    start_date: date = Field(sa_type=Date)
    end_date: date = Field(sa_type=Date)
    total_interactions: int = Field(sa_type=BigInteger)
    by_type: dict[str, int] = Field(sa_type=JSONB)
    created_at: datetime = written()
    published_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    place: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": text("0")})


class OutboxRow(SQLModel, table=True):
    """An event accepted while the broker was away: a message that the relay publishes, then deletes."""

    __tablename__ = "outbox"

    position: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    id: UUID = Field(unique=True)
    fingerprint: str = words()
    partition_key: str = words()
    properties: dict[str, str] = Field(sa_type=JSONB)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = written()


class OutboxSizeRow(SQLModel, table=True):
    """Rows that entered the outbox less rows that left it, by slot: the sum over all slots is its size."""

    __tablename__ = "outbox_size"

    slot: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    rows: int = Field(sa_type=BigInteger)


class DailyStatusRow(SQLModel, table=True):
    """How many messages of a day were counted with a status."""

    __tablename__ = "conversion_daily_status"

    day: date = Field(sa_type=Date, primary_key=True)
    status: str = Field(sa_type=Text, primary_key=True)
    count: int = Field(sa_column=Column(BigInteger, nullable=False))


class CampaignCountRow(SQLModel, table=True):
    """How many interactions of a type a campaign got on a day; `amount` is the sum of a currency's minor units, and
    both are 0 and "" but for conversions."""

    __tablename__ = "campaign_daily_counts"

    campaign_id: str = Field(sa_type=Text, primary_key=True)
    day: date = Field(sa_type=Date, primary_key=True)
    interaction_type: str = Field(sa_type=Text, primary_key=True)
    currency: str = Field(sa_type=Text, primary_key=True)
    count: int = Field(sa_column=Column(BigInteger, nullable=False))
    amount: Decimal = Field(sa_column=Column(Numeric, nullable=False))


class WorkerDeliveriesRow(SQLModel, table=True):
    """What a worker received again: `redelivered` says the broker, `absorbed` were counted already."""

    __tablename__ = "worker_deliveries"

    worker: str = Field(sa_type=Text, primary_key=True)
    redelivered: int = Field(sa_type=BigInteger)
    absorbed: int = Field(sa_type=BigInteger)
