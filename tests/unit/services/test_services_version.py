"""The services say which version they are; it is the project's."""

from __future__ import annotations

import tomllib
from pathlib import Path

from services import VERSION

ROOT = Path(__file__).resolve().parents[3]


def test_it_is_the_projects_version() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
