"""What the user wished for through alpesctl beyond the compose file, kept until `down --volumes`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from alpesctl.atomic import write_text
from alpesctl.errors import UsageError


@dataclass(frozen=True)
class Wishes:
    """`replicas` by service."""

    replicas: dict[str, int] = field(default_factory=dict)


class WishFile:
    """The wishes of one project in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Wishes:
        try:
            raw = json.loads(self._path.read_text())
            return Wishes({str(name): int(count) for name, count in raw["replicas"].items()})
        except FileNotFoundError:
            return Wishes()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{self._path} can't be read", why=str(error), out="remove it, and scale again") from error

    def wish(self, replicas: dict[str, int]) -> None:
        """Remember counts, beside those wished for before."""
        merged = {**self.load().replicas, **replicas}
        write_text(self._path, json.dumps({"replicas": merged}, indent=1))

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)
