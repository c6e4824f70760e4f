"""Versions and machine, for the record: what is cheaply readable, and nothing that can fail a run."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from alpesctl.errors import AlpesError
from alpesctl.experiments.model import Scenario
from alpesctl.pulsar_admin import PulsarAdmin
from alpesctl.runtimes.base import Runtime

LIBRARIES = ("pulsar-client", "aiohttp", "psycopg")


def versions(scenario: Scenario, runtime: Runtime, admin: PulsarAdmin, database: Callable[[], str]) -> dict[str, str]:
    """Name → version; what does not answer is left out."""
    found = {"alpesctl": _installed("alpesctl"), "python": platform.python_version(), "runtime": runtime.name}
    found |= {name: _installed(name) for name in LIBRARIES}
    probes: dict[str, Callable[[], str]] = {"pulsar": admin.version, "postgresql": database}
    for name, probe in scenario.versions.items():
        probes[name] = lambda p=probe: _first_line(runtime, p.service, p.command)  # type: ignore[misc]
    for name, read in probes.items():
        try:
            found[name] = read()
        except AlpesError:  # a version is worth no run
            continue
    return {name: version for name, version in found.items() if version}


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _first_line(runtime: Runtime, service: str, command: tuple[str, ...]) -> str:
    result = runtime.exec(service, 1, command, timeout=5.0)
    lines = (result.stdout or result.stderr).strip().splitlines()
    return lines[0].strip() if lines and result.exit_code == 0 else ""


def machine() -> dict[str, Any]:
    """Processor, cores, memory in bytes, system."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_bytes": _memory(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0
