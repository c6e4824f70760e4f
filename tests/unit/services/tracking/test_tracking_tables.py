"""The tables that we read are the ones that the migrations make."""

from __future__ import annotations

import re

from sqlmodel import SQLModel

from services.tracking.adapters import tables
from services.tracking.migrations.versions import v0001_tables, v0002_outbox, v0003_repeats, v0004_campaigns

UP = v0001_tables.UP + v0002_outbox.UP + v0003_repeats.UP + v0004_campaigns.UP


def migrated() -> dict[str, set[tuple[str, bool]]]:
    """Table to its columns: name, and whether it may be null."""
    found: dict[str, set[tuple[str, bool]]] = {}
    for statement in UP:
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


def test_models_and_migrations_name_the_same_columns() -> None:
    ours = {
        table.name: {(column.name, bool(column.nullable)) for column in table.columns}
        for table in SQLModel.metadata.sorted_tables
        if table.name in {row.__tablename__ for row in vars(tables).values() if hasattr(row, "__tablename__")}
    }
    assert ours == migrated()


def test_the_indexes_are_the_same() -> None:
    ours = {index.name for table in SQLModel.metadata.sorted_tables for index in table.indexes}
    assert set(re.findall(r"CREATE INDEX (\w+)", "\n".join(UP))) <= ours
