"""The map of the tree must show what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where things live")[2].partition("\n## ")[0]
ROWS = [line.split("|")[1] for line in MAP.splitlines() if line.startswith("| `")]
# A name without a folder lies beside the one before it.
NAMED = [name for row in ROWS for name in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize("name", NAMED)
def test_what_the_map_names_must_be_there(name: str) -> None:
    assert (ROOT / name).exists() or (ROOT / "alpesctl" / name).exists()


def test_the_map_must_name_each_folder_of_the_code() -> None:
    folders = {
        str(path.relative_to(ROOT))
        for top in ("alpesctl", "services")
        for path in (ROOT / top).iterdir()
        if path.is_dir() and not path.name.startswith(("_", "."))
    }
    assert {folder for folder in folders if not any(folder in name.rstrip("/") for name in NAMED)} == set()
