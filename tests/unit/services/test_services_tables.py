"""The tables that services read are the ones that their migrations make."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

import pytest

from services.affiliates.adapters import tables as affiliates_tables
from services.affiliates.migrations import versions as affiliates_versions
from services.tracking.adapters import tables as tracking_tables
from services.tracking.migrations import versions as tracking_versions

SERVICES = pytest.mark.parametrize(
    ("tables", "versions"),
    [(tracking_tables, tracking_versions), (affiliates_tables, affiliates_versions)],
    ids=["tracking", "affiliates"],
)


def statements(versions: Any) -> list[str]:
    """What all migrations up execute, in order."""
    names = sorted(module.name for module in pkgutil.iter_modules(versions.__path__))
    return [each for name in names for each in importlib.import_module(f"{versions.__name__}.{name}").UP]


def migrated(versions: Any) -> dict[str, set[tuple[str, bool]]]:
    """Table to its columns: name, and whether it may be null."""
    found: dict[str, set[tuple[str, bool]]] = {}
    for statement in statements(versions):
        match = re.search(r"CREATE TABLE (\w+) \((.*)\)", statement, re.S)
        if match is None:
            added = re.search(r"ALTER TABLE (\w+) ADD COLUMN (\w+) (.*)", statement)
            if added is not None:
                found[added[1]].add((added[2], "NOT NULL" not in added[3]))
            continue
        lines = [line.strip().strip(",") for line in match[2].strip().splitlines()]
        columns = [line for line in lines if not line.startswith("PRIMARY KEY")]
        found[match[1]] = {
            (line.split()[0].strip('"'), "NOT NULL" not in line and "PRIMARY KEY" not in line) for line in columns
        }
    return found


def modelled(tables: Any) -> list[Any]:
    return [row.__table__ for row in vars(tables).values() if hasattr(row, "__table__")]


@SERVICES
def test_models_and_migrations_name_the_same_columns(tables: Any, versions: Any) -> None:
    ours = {
        table.name: {(column.name, bool(column.nullable)) for column in table.columns} for table in modelled(tables)
    }
    assert ours == migrated(versions)


@SERVICES
def test_the_indexes_are_the_same(tables: Any, versions: Any) -> None:
    ours = {index.name for table in modelled(tables) for index in table.indexes}
    assert set(re.findall(r"CREATE INDEX (\w+)", "\n".join(statements(versions)))) == ours
