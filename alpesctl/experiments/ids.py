"""Event ids: random UUIDs (version 4), kept as 16 bytes each. Pure.

Random on purpose: it is what the services give an event whose caller sent no id, and the hardest case for the
database's index; ids in time order (version 7) would flatter the figures.
"""

from __future__ import annotations

import os
import uuid
import zlib
from collections.abc import Callable


def new_ids(count: int, entropy: Callable[[int], bytes] = os.urandom) -> bytearray:
    """`count` ids in one array, 16 bytes each."""
    raw = bytearray(entropy(16 * count))
    for at in range(0, len(raw), 16):
        raw[at + 6] = raw[at + 6] & 0x0F | 0x40
        raw[at + 8] = raw[at + 8] & 0x3F | 0x80
    return raw


def as_text(raw: bytes | bytearray) -> str:
    """The usual form, with hyphens."""
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def as_bytes(text: str) -> bytes | None:
    """The 16 bytes of a UUID in any of its usual forms; None where it isn't one."""
    try:
        return uuid.UUID(text).bytes
    except (ValueError, AttributeError, TypeError):
        return None


def bucket(text: str, buckets: int) -> str:
    """The partition key of an id: one of `buckets`, so that batches by key hold more than one event."""
    return str(zlib.crc32(text.encode()) % buckets)
