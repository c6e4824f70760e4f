"""Ids: every event has one before it is published, every message has one by its position.

Must not look at anything but its arguments: the same input gives the same id, always.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

BUCKETS = 64
MAX_KEY_LENGTH = 255

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}")
_BUCKET_NAMES = tuple(str(number) for number in range(BUCKETS))


def canonical(text: str) -> str | None:
    """A UUID's canonical form (36 lower-case characters), None for what is no UUID."""
    if _CANONICAL.fullmatch(text):
        return text
    if _UUID.fullmatch(text):
        return str(UUID(text))
    return None


def derive_id(own: str | None, idempotency_key: str | None, request_id: str | None) -> str:
    """The event's id: the caller's own (already canonical), else from its key, else the proxy's, else new."""
    if own is not None:
        return own
    if idempotency_key:
        return canonical(idempotency_key) or str(uuid5(NAMESPACE_URL, "alpes:" + idempotency_key))
    if request_id:
        of_request = canonical(request_id)
        if of_request is not None:
            return of_request
    return str(uuid4())


def placed(source: str, place: int) -> str:
    """The id of the event at a place of a list, from what names the list."""
    return str(uuid5(NAMESPACE_URL, f"alpes:{source}/{place}"))


def bucket(event_id: str) -> str:
    """The message's key: few enough that batches stay large, many enough to spread over workers."""
    return _BUCKET_NAMES[zlib.crc32(event_id.encode()) % BUCKETS]


def position_id(topic: str, ledger: int, entry: int, batch_index: int, published_ms: int) -> str:
    """The id of a message that carries none. `topic` names the partition; the publish time is in it
    because a wiped broker gives the same ledger and entry again."""
    text = f"{topic}\n{ledger}\n{entry}\n{batch_index}\n{published_ms}"
    return str(UUID(bytes=hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()))
