"""What a worker tells Prometheus of its batches, once a batch. Must not know what the messages mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.process.metrics import LATENCY_S

BATCH = (1, 5, 10, 50, 100, 250, 500, 1000, 2000)
LAG_S = (*LATENCY_S, 30.0, 60.0, 300.0, 1800.0, 3600.0, 86_400.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """One committed batch. The lags, in seconds, are those of its first message and its first event."""

    messages: int
    ok: int
    errors: int
    redelivered: int
    publish_lag_s: float
    event_lag_s: float | None


class Metrics:
    """The figures of one worker. All names begin with its own, `tracking_worker_` for instance."""

    def __init__(self, worker: str, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"{worker}_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"{worker}_{name}", text, buckets=buckets, registry=registry)

        messages = counter("messages_total", "Messages by what became of them; absorbed took effect before.", "outcome")
        self._ok, self._errors, self._absorbed = (messages.labels(name) for name in ("ok", "error", "absorbed"))
        self._redelivered = counter("redelivered_messages_total", "Messages that the broker had handed out before.")
        self.letters = counter("dead_letters_published_total", "Dead letters published to their topic.")
        self.failed = counter("failed_batches_total", "Attempts at a batch that the database did not take.")
        self._size = histogram("batch_messages", "Messages in a batch.", BATCH)
        self.seconds = histogram("batch_duration_seconds", "From a batch in hand to its commit.", LATENCY_S)
        self._publish_lag = histogram(
            "publish_lag_seconds", "From the publication of a batch's first message to its commit.", LAG_S
        )
        self._event_lag = histogram("event_lag_seconds", "From the time of a batch's first event to its commit.", LAG_S)
        self._worker = worker
        self._registry = registry

    def batch(self, measured: Measured) -> None:
        """Once its batch is committed."""
        self._ok.inc(measured.ok)
        self._errors.inc(measured.errors)
        self._absorbed.inc(measured.messages - measured.ok - measured.errors)
        self._redelivered.inc(measured.redelivered)
        self._size.observe(measured.messages)
        self._publish_lag.observe(max(measured.publish_lag_s, 0.0))
        if measured.event_lag_s is not None:
            self._event_lag.observe(max(measured.event_lag_s, 0.0))

    def connected(self, name: str, connected: Callable[[], bool]) -> None:
        """Tell at each scrape whether `name`, the broker or the database, is connected."""
        gauge = Gauge(f"{self._worker}_{name}_connected", f"1 while the {name} answers.", registry=self._registry)
        gauge.set_function(lambda: float(connected()))
