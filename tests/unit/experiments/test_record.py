"""Records on disk: found again, newest first, whole or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alpesctl.errors import UsageError
from alpesctl.experiments import record
from alpesctl.experiments.record import Record, capped, find_record, list_records, load_record, new_directory, write

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


def test_no_more_must_be_read_than_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, middle, damaged, new = (made(tmp_path, "a", second) for second in range(4))
    (damaged.directory / "record.json").write_text("{")
    seen: list[str] = []

    def reads(path: Path) -> Record:
        seen.append(path.parent.name)
        return load_record(path)

    monkeypatch.setattr(record, "load_record", reads)
    assert list_records(tmp_path, 2) == [new, middle]
    assert seen == [new.id, damaged.id, middle.id]
    seen.clear()
    assert (find_record(tmp_path), find_record(tmp_path, old.id)) == (new, old)
    assert seen == [new.id, old.id]


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
    kept = made(tmp_path, "a", 1)
    broken = new_directory(tmp_path, "b", datetime(2026, 11, 24, 12, tzinfo=UTC))
    (broken / "record.json").write_text('{"schema_version": 99}')
    new_directory(tmp_path, "c", datetime(2026, 11, 24, 13, tzinfo=UTC))
    assert list_records(tmp_path) == [kept]
    with pytest.raises(UsageError, match="schema version 99"):
        load_record(broken)


def test_long_lists_keep_their_total() -> None:
    found = capped(tuple(range(12_000)))
    assert (found["total"], len(found["named"])) == (12_000, 10_000)
