"""The map of the tree must show what is there, and all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where things live")[2].partition("\n## ")[0]
ROWS = [line.split("|")[1] for line in MAP.splitlines() if line.startswith("| `")]
# What lies directly in these is named piece by piece; the rest of the code is named as a whole.
TAKEN_APART = ("alpesctl", "services", "tests", "docs")
WHOLE = ("workers/", "compose/", "scenarios/")


def named(row: str) -> list[str]:
    """The paths of a row: what doesn't begin at the root lies beside the first."""
    first, *others = re.findall(r"`([^`]+)`", row)
    beside = first.partition("/")[0]
    return [first, *(name if name in WHOLE else f"{beside}/{name}" for name in others)]


def pieces(top: str) -> list[str]:
    """The folders, with a slash, and the files that lie directly in a folder of the root."""
    found = (path for path in (ROOT / top).iterdir() if path.name not in ("__init__.py", "__pycache__"))
    return [f"{top}/{path.name}{'/' if path.is_dir() else ''}" for path in found if not path.name.startswith(".")]


NAMED = [name for row in ROWS for name in named(row)]


@pytest.mark.parametrize("name", NAMED)
def test_what_the_map_names_must_be_there(name: str) -> None:
    path = ROOT / name
    assert path.is_dir() if name.endswith("/") else path.is_file()


def test_the_map_must_name_each_folder_and_file_once() -> None:
    there = [*WHOLE, *(piece for top in TAKEN_APART for piece in pieces(top))]
    deeper = [name for name in NAMED if name.rstrip("/").count("/") > 1]
    assert set(there) ^ (set(NAMED) - set(deeper)) == set()
    assert len(NAMED) == len(set(NAMED))
