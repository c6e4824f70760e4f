"""A run's record on disk: one directory a run, written atomically; reports are made from records alone.

<root>/runs/<UTC time>-<name>/
    record.json      everything but the events: scenario, versions, series, findings, verdict (versioned)
    ledger.csv.gz    the ledger
    counted.csv.gz   the rows as they were read back: id, committed (Unix seconds), who counted
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from alpesctl.errors import UsageError
from alpesctl.experiments.evidence import Row
from alpesctl.experiments.ids import as_text
from alpesctl.experiments.ledger import Ledger

SCHEMA_VERSION = 2
NAMED_AT_MOST = 10_000  # ids of one kind in record.json; their total is always there


@dataclass(frozen=True)
class Record:
    """A finished or interrupted run. `document` is what record.json holds."""

    directory: Path
    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def name(self) -> str:
        return str(self.document["name"])

    @property
    def started(self) -> str:
        """UTC, ISO 8601."""
        return str(self.document["started"])

    @property
    def outcome(self) -> str:
        """passed, failed, void, interrupted, aborted (an error ended it), or unfinished (its process was killed)."""
        return str(self.document["verdict"]["outcome"])

    @property
    def exit_code(self) -> int:
        return int(self.document["verdict"]["exit_code"])


def new_directory(root: Path, name: str, at: datetime) -> Path:
    """The run's own directory; two runs of one second get different ones."""
    base = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{name}"
    for number in range(1, 1_000):
        directory = root / "runs" / (base if number == 1 else f"{base}-{number}")
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            continue
        return directory
    raise UsageError(f"too many runs named {base}", out=f"remove some of {root / 'runs'}")


def write(directory: Path, document: Mapping[str, Any]) -> Record:
    """Replace record.json in one step."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **document}, indent=1, allow_nan=False)
    partial = directory / "record.json.part"
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(directory / "record.json")
    return Record(directory, json.loads(text))


def write_events(directory: Path, ledger: Ledger, rows: Iterable[Row]) -> None:
    """The ledger and the rows beside the record; each appears whole or not at all."""
    partial = directory / "ledger.csv.gz.part"
    ledger.save(partial)
    partial.replace(directory / "ledger.csv.gz")
    partial = directory / "counted.csv.gz.part"
    with gzip.open(partial, "wt", compresslevel=3, newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "committed", "counted_by"))
        for row in rows:
            committed = "" if row.committed is None else f"{row.committed:.6f}"
            writer.writerow((as_text(row.id), committed, row.worker))
    partial.replace(directory / "counted.csv.gz")


def load_record(directory: Path) -> Record:
    """A record from its directory, or from the path of its record.json."""
    path = directory if directory.name == "record.json" else directory / "record.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{directory} holds no record", why=str(error), out="alpesctl runs lists them") from error
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{path} has schema version {version}",
            why=f"this alpesctl reads version {SCHEMA_VERSION}",
            out="use the alpesctl that made it",
        )
    return Record(path.parent, document)


def list_records(root: Path, limit: int | None = None) -> list[Record]:
    """The records under `root`, newest first, at most `limit`; no more are read than that. Directories without a
    readable record are left out."""
    return list(islice(_records(root), limit))


def find_record(root: Path, run: str | None = None) -> Record:
    """The run of that id (or its beginning), or the newest."""
    for record in _records(root, run or ""):
        return record
    what = "there is no run yet" if run is None else f"there is no run {run}"
    raise UsageError(what, why=f"looked in {root / 'runs'}", out="alpesctl scenario performance makes one")


def _records(root: Path, beginning: str = "") -> Iterator[Record]:
    """Each is read once it is asked for."""
    for path in sorted((root / "runs").glob("*/record.json"), reverse=True):
        if path.parent.name.startswith(beginning):
            with suppress(UsageError):
                yield load_record(path)


def capped(ids: tuple[Any, ...]) -> dict[str, Any]:
    """A list of findings with its total, and at most NAMED_AT_MOST of them by name."""
    return {"total": len(ids), "named": list(ids[:NAMED_AT_MOST])}
