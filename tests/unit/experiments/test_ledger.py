"""The ledger in memory and on disk."""

import csv
import gzip
from pathlib import Path

from alpesctl.experiments.ids import as_bytes, as_text, bucket, new_ids
from alpesctl.experiments.ledger import COLUMNS, MEASURED, WARMUP, Ledger, Outcome


def test_ids_are_random_uuids_of_version_4() -> None:
    raw = new_ids(500)
    ids = {bytes(raw[i : i + 16]) for i in range(0, len(raw), 16)}
    assert len(ids) == 500
    for event_id in ids:
        text = as_text(event_id)
        assert as_bytes(text) == event_id
        assert text[14] == "4"
        assert text[19] in "89ab"


def test_a_bucket_depends_on_the_id_alone() -> None:
    assert bucket("00000000-0000-4000-8000-000000000000", 64) == bucket("00000000-0000-4000-8000-000000000000", 64)
    assert 0 <= int(bucket("x", 64)) < 64


def test_on_disk_each_event_must_be_a_line(tmp_path: Path) -> None:
    ledger = Ledger(4, warmup=1)
    ledger.send(0, 1.0, 1.25)
    ledger.answer(0, Outcome.ACCEPTED, 1.5)
    ledger.send(1, 2.0, 2.5)
    ledger.answer(1, Outcome.IN_DOUBT, 3.0, 'Timeout, "odd"')
    ledger.send(2, 3.0, 3.5)
    ledger.save(tmp_path / "ledger.csv.gz")

    with gzip.open(tmp_path / "ledger.csv.gz", "rt", newline="", encoding="utf-8") as file:
        head, *lines = csv.reader(file)

    assert tuple(head) == COLUMNS
    assert [line[0] for line in lines] == [ledger.text(i) for i in range(4)]
    assert [line[1:] for line in lines] == [
        [str(WARMUP), "1.000000", "1.250000", "1.500000", "accepted", ""],
        [str(MEASURED), "2.000000", "2.500000", "3.000000", "in_doubt", 'Timeout, "odd"'],
        [str(MEASURED), "3.000000", "3.500000", "0.000000", "pending", ""],
        [str(MEASURED), "0.000000", "0.000000", "0.000000", "unsent", ""],
    ]
    assert (ledger.sent_count, ledger.answered_count()) == (3, 2)


def test_what_was_never_answered_is_in_doubt() -> None:
    ledger = Ledger(2)
    ledger.send(0, 1.0, 1.0)
    ledger.close(9.0)
    assert (ledger.outcome[0], ledger.outcome[1]) == (Outcome.IN_DOUBT, Outcome.UNSENT)
    assert ledger.answered[0] == 9.0
