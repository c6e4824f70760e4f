"""Reads a TOML table strictly: every key is asked for by name, what nobody asked for is an error.

Errors name the file, the key's path, what is wrong and what to write. Knows nothing about scenarios.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from alpesctl.errors import UsageError


class Table:
    """One table of a file. Getters take a default (`...`: the key is required). `close` it at the end."""

    def __init__(self, raw: Any, source: str, path: str = "", sources: Mapping[str, str] | None = None) -> None:
        self.source = source
        self._sources = sources or {}  # by name, where a table comes from another file
        self.path = path
        if not isinstance(raw, Mapping):
            self.fail("", f"is {raw!r}", "it must be a table", f"write [{path}] with its keys below")
        self._raw: Mapping[str, Any] = raw
        self._known: set[str] = set()

    def where(self, name: str) -> str:
        return ".".join(part for part in (self.path, name) if part)

    def fail(self, name: str, what: str, why: str, out: str) -> NoReturn:
        raise UsageError(f"{self.source}: {self.where(name)} {what}", why=why, out=out)

    def has(self, name: str) -> bool:
        self._known.add(name)
        return name in self._raw

    def _get(self, name: str, default: Any) -> Any:
        self._known.add(name)
        if name in self._raw:
            return self._raw[name]
        if default is _REQUIRED:
            self.fail(name, "is missing", "it has no default", f"add {name} = … to [{self.path or 'the file'}]")
        return default

    def number(
        self, name: str, default: Any = None, *, low: float = 0.0, high: float = 1e9, above: bool = False
    ) -> Any:
        """A finite number from `low` (or above it) to `high`; `default` ... makes it required."""
        value = self._get(name, _REQUIRED if default is ... else default)
        if value is default:
            return default
        bounds = f"above {low:g} and at most {high:,g}" if above else f"from {low:g} to {high:,g}"
        bounds = f"it must be a number {bounds}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fail(name, f"is {value!r}", bounds, f"write {name} = 1.0, say")
        if value > high or value < low or (above and value == low):
            self.fail(name, f"is {value:g}", bounds, f"choose a value in that range for {name}")
        return float(value)

    def integer(self, name: str, default: Any = None, *, low: int = 0, high: int = 10_000_000) -> Any:
        value = self._get(name, _REQUIRED if default is ... else default)
        if value is default:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            why = f"it must be a whole number from {low:,} to {high:,}"
            self.fail(name, f"is {value!r}", why, f"choose a value in that range for {name}")
        return value

    def is_text(self, name: str) -> bool:
        return isinstance(self._raw.get(name), str)

    def is_list(self, name: str) -> bool:
        return isinstance(self._raw.get(name), list)

    def text(self, name: str, default: Any = ..., *, choices: Sequence[str] = ()) -> str:
        value = self._get(name, _REQUIRED if default is ... else default)
        if not isinstance(value, str) or (not value.strip() and default is ...):
            self.fail(name, f"is {value!r}", "it must be a text that isn't empty", f'write {name} = "…"')
        if choices and value not in choices:
            self.fail(name, f'is "{value}"', "no such choice", f"use one of: {', '.join(choices)}")
        return value

    def table(self, name: str) -> Table | None:
        """The table under `name`, None where there is none."""
        raw = self._get(name, None)
        return None if raw is None else self._inner(raw, name)

    def need(self, name: str) -> Table:
        return self._inner(self._get(name, _REQUIRED), name)

    def _inner(self, raw: Any, name: str) -> Table:
        return Table(raw, self._sources.get(name, self.source), self.where(name))

    def tables(self, name: str) -> list[Table]:
        """The tables of an array of tables ([[name]])."""
        raw = self._get(name, [])
        if not isinstance(raw, list):
            self.fail(name, f"is {raw!r}", "it must be an array of tables", f"write [[{self.where(name)}]]")
        source = self._sources.get(name, self.source)
        return [Table(item, source, f"{self.where(name)}[{i}]") for i, item in enumerate(raw, start=1)]

    def texts(self, name: str) -> tuple[str, ...]:
        raw = self._get(name, [])
        if not isinstance(raw, list) or not all(isinstance(item, str) and item for item in raw):
            self.fail(name, f"is {raw!r}", "it must be a list of texts", f'write {name} = ["…"]')
        return tuple(raw)

    def text_map(self, name: str) -> dict[str, str]:
        inner = self.table(name)
        return {} if inner is None else {key: inner.text(key) for key in inner._raw}

    def count_map(self, name: str, high: int) -> dict[str, int]:
        inner = self.table(name)
        return {} if inner is None else {key: inner.integer(key, ..., low=1, high=high) for key in inner._raw}

    def any_map(self, name: str) -> dict[str, Any]:
        """A table whose keys are the user's own (an event's body)."""
        return dict(self.need(name)._raw)

    def names(self) -> list[str]:
        return list(self._raw)

    def close(self) -> None:
        """Refuse what nobody asked for."""
        for name in self._raw:
            if name not in self._known:
                known = ", ".join(sorted(self._known))
                self.fail(name, "is not known", "no such key here", f"known here: {known}")


_REQUIRED = object()
