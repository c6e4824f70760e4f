"""Writes a file in one step, so that no reader, and no crash, ever finds half of it."""

from __future__ import annotations

from pathlib import Path


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace `path` by `text` (UTF-8), with the given permissions; folders are made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".new")
    partial.touch(mode=mode)
    partial.chmod(mode)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
