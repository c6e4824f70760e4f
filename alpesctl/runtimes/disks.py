"""How much room a disk has. Reads, changes nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from alpesctl.runtimes.base import Room


def room(what: str, path: Path) -> Room:
    """The room on the disk under `path`, or under the nearest folder above it that is there."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    usage = shutil.disk_usage(there)
    return Room(what, str(path), usage.total, usage.free)


def parse(df: str) -> tuple[int, int] | None:
    """Bytes in all and free, from what `df -Pk` prints; None where it printed something else."""
    match = re.search(r"\s(\d+)\s+\d+\s+(\d+)\s+\d+%\s", df)
    return (int(match.group(1)) * 1024, int(match.group(2)) * 1024) if match else None
