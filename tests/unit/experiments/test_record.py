"""Records on disk: found again, newest first, whole or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alpesctl.errors import UsageError
from alpesctl.experiments.record import capped, find_record, list_records, load_record, new_directory, write

VERDICT = {"outcome": "passed", "exit_code": 0, "reasons": [], "checks": []}


def made(root: Path, name: str, second: int):  # type: ignore[no-untyped-def]
    directory = new_directory(root, name, datetime(2026, 11, 24, 11, 0, second, tzinfo=UTC))
    document = {"id": directory.name, "name": name, "started": "2026", "verdict": VERDICT}
    return write(directory, document)


def test_newest_first(tmp_path: Path) -> None:
    old, new = made(tmp_path, "a", 1), made(tmp_path, "b", 2)
    assert [record.id for record in list_records(tmp_path)] == [new.id, old.id]
    assert find_record(tmp_path) == new
    assert find_record(tmp_path, "20261124T110001") == old
    assert load_record(old.directory) == load_record(old.directory / "record.json") == old


def test_two_runs_of_one_second(tmp_path: Path) -> None:
    assert [made(tmp_path, "a", 1).directory.name for _ in range(2)] == [
        "20261124T110001Z-a",
        "20261124T110001Z-a-2",
    ]


def test_no_run(tmp_path: Path) -> None:
    assert list_records(tmp_path) == []
    with pytest.raises(UsageError, match="there is no run yet"):
        find_record(tmp_path)


def test_what_is_no_record_is_left_out(tmp_path: Path) -> None:
    record = made(tmp_path, "a", 1)
    broken = new_directory(tmp_path, "b", datetime(2026, 11, 24, 12, tzinfo=UTC))
    (broken / "record.json").write_text('{"schema_version": 99}')
    new_directory(tmp_path, "c", datetime(2026, 11, 24, 13, tzinfo=UTC))
    assert list_records(tmp_path) == [record]
    with pytest.raises(UsageError, match="schema version 99"):
        load_record(broken)


def test_long_lists_keep_their_total() -> None:
    found = capped(tuple(range(12_000)))
    assert (found["total"], len(found["named"])) == (12_000, 10_000)
