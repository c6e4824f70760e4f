"""What a replica remembers of the ids that callers named lately. Must not grow without bound."""

from __future__ import annotations

MOST = 50_000  # ids, about 300 bytes each


class Recent:
    """Ids and their events' fingerprints: at least the last `most`, at most twice as many."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._young: dict[str, str] = {}
        self._old: dict[str, str] = {}

    def get(self, event_id: str) -> str | None:
        """The fingerprint under an id, None if it isn't remembered."""
        return self._young.get(event_id) or self._old.get(event_id)

    def put(self, event_id: str, fingerprint: str) -> None:
        if len(self._young) >= self._most:
            # Cheaper than an order of all of them: half of the memory is let go at once.
            self._old, self._young = self._young, {}
        self._young[event_id] = fingerprint

    def forget(self, event_id: str) -> None:
        self._young.pop(event_id, None)
        self._old.pop(event_id, None)
