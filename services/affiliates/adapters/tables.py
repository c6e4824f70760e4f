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
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.storage.columns import words, written


class Row(SQLModel, registry=registry()):
    """Tables of this service alone: the name of one may be that of another service's."""


class AffiliateRow(Row, table=True):
    """An affiliate; `status` is pending, active or suspended."""

    __tablename__ = "affiliates"
    __table_args__ = (Index("affiliates_newest", "created_at", "id"),)

    id: UUID = Field(primary_key=True)
    name: str = words()
    email: str = words(unique=True)
    program_id: str = words()
    status: str = words()
    joined_at: datetime = Field(sa_type=DateTime(timezone=True))
    created_at: datetime = written()
    updated_on: datetime = written()


class PostRow(Row, table=True):
    """A post of an affiliate for a brand."""

    __tablename__ = "posts"
    __table_args__ = (
        Index("posts_newest", "created_at", "id"),
        Index("posts_of_affiliate", "affiliate_id", "created_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    title: str = words()
    content: str = words()
    affiliate_id: UUID = Field(sa_column=Column(ForeignKey("affiliates.id"), nullable=False))
    brand_id: str = words()
    created_at: datetime = written()


class PostCostRow(Row, table=True):
    """A calculation of what a post costs; its amounts are null while it waits for the tracking service."""

    __tablename__ = "post_costs"
    __table_args__ = (
        Index("post_costs_of_post", "post_id", "created_at", "id"),
        Index("post_costs_waiting", "created_at", postgresql_where=text("calculated_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    post_id: UUID = Field(sa_column=Column(ForeignKey("posts.id"), nullable=False))
    start_date: date = Field(sa_type=Date)
    end_date: date = Field(sa_type=Date)
    correlation_id: str = words()
    base_cost: Decimal | None = Field(default=None, sa_type=Numeric)
    interactions_count: int | None = Field(default=None, sa_type=BigInteger)
    interaction_cost: Decimal | None = Field(default=None, sa_type=Numeric)
    interaction_total_cost: Decimal | None = Field(default=None, sa_type=Numeric)
    engagement_multiplier: Decimal | None = Field(default=None, sa_type=Numeric)
    total_cost: Decimal | None = Field(default=None, sa_type=Numeric)
    created_at: datetime = written()
    calculated_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class InboxRow(Row, table=True):
    """A message that took effect, or was refused (`refusal` says why)."""

    __tablename__ = "inbox"

    id: UUID = Field(primary_key=True)
    name: str = words()
    fingerprint: str = words()
    refusal: str | None = words(default=None)
    generation: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": text("0")})
    created_at: datetime = written()


class AcceptedRow(Row, table=True):
    """A command that was accepted over HTTP."""

    __tablename__ = "accepted"

    id: UUID = Field(primary_key=True)
    fingerprint: str = words()
    created_at: datetime = written()


class OutboxRow(Row, table=True):
    """A message that the relay publishes, then deletes."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_of_id", "id"), Index("outbox_of_topic", "topic", "position"))

    position: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    id: UUID
    fingerprint: str = words()
    topic: str = words()
    partition_key: str = words()
    properties: dict[str, str] = Field(sa_type=JSONB)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = written()
