"""Columns that tables of any service have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DateTime, Text, func
from sqlmodel import Field


def words(**more: Any) -> Any:
    """A text, of any length."""
    return Field(sa_type=Text, **more)


def written() -> Any:
    """When the row was written, in UTC, by the database's clock."""
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        nullable=False,
        sa_column_kwargs={"server_default": func.now()},
    )
