"""What a command returns. Commands never print: `cli.py` renders a Result as text or as JSON."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Table:
    """A table for a person; `rows` hold as many cells as there are `columns`."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str = ""


@dataclass(frozen=True)
class Result:
    """A finished command.

    `data` is what `--json` shows, under `schema_version`; `lines` and `tables` are the same for a person.
    """

    command: str
    data: Mapping[str, Any]
    lines: Sequence[str] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    exit_code: int = 0

    def document(self) -> dict[str, Any]:
        """The versioned JSON document of this result."""
        return {
            "schema_version": SCHEMA_VERSION,
            "command": self.command,
            "ok": self.exit_code == 0,
            "exit_code": self.exit_code,
            "data": dict(self.data),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Failure:
    """A command that ended in an AlpesError."""

    command: str
    code: str
    what: str
    why: str
    out: str
    exit_code: int
    data: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The versioned JSON document of this failure."""
        error = {"code": self.code, "what": self.what, "why": self.why, "out": self.out}
        return {
            "schema_version": SCHEMA_VERSION,
            "command": self.command,
            "ok": False,
            "exit_code": self.exit_code,
            "data": dict(self.data),
            "error": error,
        }


def plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings as what JSON knows; bytes in base64."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
