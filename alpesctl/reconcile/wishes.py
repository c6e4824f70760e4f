"""What the user wished for through alpesctl beyond the compose file, kept until `down --volumes`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from alpesctl.atomic import write_text
from alpesctl.errors import UsageError
from alpesctl.stack.retention import Retention


@dataclass(frozen=True)
class Wishes:
    """`replicas` by service; `partitions` and `retention` by topic (NAMESPACE is the namespace's own);
    `stand_ins`: images built here stand in for those of the compose file."""

    replicas: dict[str, int] = field(default_factory=dict)
    stand_ins: bool = False
    partitions: dict[str, int] = field(default_factory=dict)
    retention: dict[str, Retention] = field(default_factory=dict)


class WishFile:
    """The wishes of one project in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Wishes:
        try:
            raw = json.loads(self._path.read_text())
            kept = raw.get("retention", {}).items()
            return Wishes(
                replicas=_counts(raw["replicas"]),
                stand_ins=bool(raw.get("stand_ins", False)),
                partitions=_counts(raw.get("partitions", {})),
                retention={str(name): Retention(**limits) for name, limits in kept},
            )
        except FileNotFoundError:
            return Wishes()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{self._path} can't be read", why=str(error), out="remove it, and wish again") from error

    def wish(self, *, replicas: dict[str, int] | None = None, partitions: dict[str, int] | None = None) -> None:
        """Remember counts, beside those wished for before."""
        kept = self.load()
        self._save(
            replace(
                kept,
                replicas={**kept.replicas, **(replicas or {})},
                partitions={**kept.partitions, **(partitions or {})},
            )
        )

    def wish_retention(self, name: str, retention: Retention | None) -> None:
        """Remember a topic's or the namespace's retention; None forgets it."""
        kept = self.load()
        others = {other: limits for other, limits in kept.retention.items() if other != name}
        self._save(replace(kept, retention=others if retention is None else {**others, name: retention}))

    def use_stand_ins(self, wanted: bool) -> None:
        """Remember whether stand-ins are used."""
        self._save(replace(self.load(), stand_ins=wanted))

    def _save(self, wishes: Wishes) -> None:
        write_text(self._path, json.dumps(asdict(wishes), indent=1))

    def clear(self) -> None:
        """Forget all that shapes the stack. Whether this machine needs stand-ins has nothing to do with the data."""
        if self.load().stand_ins:
            self._save(Wishes(stand_ins=True))
        else:
            self._path.unlink(missing_ok=True)


def _counts(raw: dict[str, int]) -> dict[str, int]:
    return {str(name): int(count) for name, count in raw.items()}
