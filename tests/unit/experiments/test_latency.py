"""Exact percentiles, and the figures of each second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpesctl.experiments.latency import histogram, percentile, percentiles
from alpesctl.experiments.ledger import Ledger, Outcome
from alpesctl.experiments.series import per_second, samples


def test_nearest_rank() -> None:
    ordered = [float(i) for i in range(1, 101)]
    assert [percentile(ordered, p) for p in (50, 90, 99, 99.9, 100)] == [50, 90, 99, 100, 100]
    assert percentile([7.0], 50) == 7.0


@given(st.lists(st.floats(0, 100), min_size=1))
def test_percentiles_are_samples_in_order(values: list[float]) -> None:
    found = percentiles(values)
    ranks = [found[name] for name in ("p50", "p90", "p99", "p99.9", "max")]
    assert ranks == sorted(ranks)
    assert set(ranks) <= set(values)


def test_no_samples_no_figures() -> None:
    assert percentiles([]) == {}


def test_the_histogram_can_be_read_again() -> None:
    from hdrh.histogram import HdrHistogram

    hdr = HdrHistogram.decode(histogram([0.010] * 99 + [2.0]))
    assert hdr.get_total_count() == 100
    assert hdr.get_value_at_percentile(50) == pytest.approx(10_000, rel=0.001)
    assert hdr.get_max_value() == pytest.approx(2_000_000, rel=0.001)


def test_seconds_hold_what_happened_in_them() -> None:
    ledger = Ledger(4, warmup=1)
    for i, at in enumerate([90.0, 100.0, 100.5, 101.2]):
        ledger.send(i, at, at)
        ledger.answer(i, Outcome.IN_DOUBT if i == 3 else Outcome.ACCEPTED, at + 0.1)
    commits = {ledger.id(0): 90.2, ledger.id(1): 100.3, ledger.id(2): 101.0}
    first, second = per_second(ledger, commits, 100.0)
    assert (first["sent"], first["accepted"], first["counted"], first["in_doubt"]) == (2, 2, 1, 0)
    assert (first["p50"], first["max"]) == (pytest.approx(0.3), pytest.approx(0.5))
    assert (second["sent"], second["counted"], second["in_doubt"], second["p99"]) == (1, 1, 1, None)
    found = samples(ledger, commits)
    assert (len(found.committed), len(found.answered), found.first_commit, found.last_commit) == (2, 2, 100.3, 101.0)
