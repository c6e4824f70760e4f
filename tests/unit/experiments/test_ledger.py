"""The ledger in memory and on disk."""

from pathlib import Path

from alpesctl.experiments.ids import as_bytes, as_text, bucket, new_ids
from alpesctl.experiments.ledger import MEASURED, WARMUP, Ledger, Outcome, load_ledger


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


def test_it_survives_the_disk(tmp_path: Path) -> None:
    ledger = Ledger(4, warmup=1)
    ledger.send(0, 1.0, 1.25)
    ledger.answer(0, Outcome.ACCEPTED, 1.5)
    ledger.send(1, 2.0, 2.5)
    ledger.answer(1, Outcome.IN_DOUBT, 3.0, 'Timeout, "odd"')
    ledger.send(2, 3.0, 3.5)
    ledger.save(tmp_path / "ledger.csv.gz")

    again = load_ledger(tmp_path / "ledger.csv.gz")

    assert again.ids == ledger.ids
    assert (again.due, again.sent, again.answered) == (ledger.due, ledger.sent, ledger.answered)
    assert list(again.outcome) == [Outcome.ACCEPTED, Outcome.IN_DOUBT, Outcome.PENDING, Outcome.UNSENT]
    assert again.detail(1) == 'Timeout, "odd"'
    assert [again.phase(i) for i in (0, 1)] == [WARMUP, MEASURED]
    assert (again.sent_count, again.tally) == (3, ledger.tally)


def test_what_was_never_answered_is_in_doubt() -> None:
    ledger = Ledger(2)
    ledger.send(0, 1.0, 1.0)
    ledger.close(9.0)
    assert (ledger.outcome[0], ledger.outcome[1]) == (Outcome.IN_DOUBT, Outcome.UNSENT)
    assert ledger.answered[0] == 9.0
