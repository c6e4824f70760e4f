"""What every process of a service tells Prometheus of itself. Must not know what else it measures."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Info, PlatformCollector, ProcessCollector

from services import VERSION

# From a millisecond to what a caller gives up at; twice as long each time, or a little more.
LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def registry(service: str) -> CollectorRegistry:
    """A registry that has the process's own figures and the build's."""
    made = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    Info("build", "What runs here.", registry=made).info({"service": service, "version": VERSION})
    return made
