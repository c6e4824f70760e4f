"""Latencies: exact percentiles from the raw samples, and an HDR histogram for export and merging. Seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9}
HIGHEST_US = 3_600_000_000  # an hour, in microseconds: the histogram's range


def percentile(ordered: Sequence[float], percent: float) -> float:
    """By nearest rank: the smallest sample that at least `percent` of them don't exceed."""
    rank = max(1, math.ceil(len(ordered) * percent / 100 - 1e-9))
    return ordered[rank - 1]


def percentiles(samples: Sequence[float]) -> dict[str, float]:
    """p50 to p99.9, max and mean; empty where there are no samples."""
    if not samples:
        return {}
    ordered = sorted(samples)
    found = {name: percentile(ordered, percent) for name, percent in PERCENTILES.items()}
    return {**found, "max": ordered[-1], "mean": math.fsum(ordered) / len(ordered), "count": len(ordered)}


def histogram(samples: Sequence[float]) -> str:
    """The samples in microseconds as a compressed, base64 HDR histogram (V2), three significant digits."""
    from hdrh.histogram import HdrHistogram

    hdr = HdrHistogram(1, HIGHEST_US, 3)
    for sample in samples:
        hdr.record_value(min(HIGHEST_US, max(1, round(sample * 1e6))))
    encoded = hdr.encode()
    return encoded.decode("ascii") if isinstance(encoded, bytes) else str(encoded)
