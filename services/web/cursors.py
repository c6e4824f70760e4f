"""Where a page ended, as a word that callers hand back and need not understand."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from services.storage.reading import Position


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decoded(cursor: str) -> str | None:
    """What was encoded, None for a word that isn't one of ours."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        return None


def at(moment: datetime, row_id: UUID) -> str:
    """The cursor of a page that ended with this row."""
    return encoded(f"{moment.astimezone(UTC).isoformat()}|{row_id}")


def position(cursor: str) -> Position | None:
    """Where the page ended, None for a word that isn't one of ours."""
    time, _, row_id = (decoded(cursor) or "").partition("|")
    try:
        moment = datetime.fromisoformat(time)
        return (moment, UUID(row_id)) if moment.tzinfo is not None else None
    except ValueError:
        return None
