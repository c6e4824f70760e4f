"""The command reference must be what the command line is."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_command_reference_must_be_up_to_date() -> None:
    written = (ROOT / "docs" / "commands.md").read_text()
    made = runpy.run_path(str(ROOT / "docs" / "commands.py"))["reference"]()
    assert made == written, "run make reference"
