"""Replicas of the local runtime as records on disk, with a supervisor that says what they do: nothing is started."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from alpesctl.runtimes.local.state import ProjectState
from alpesctl.runtimes.local.supervision import RUNNING, Supervisor
from tests.unit.runtimes.test_choosing import RECORD

PROJECT = "alpes-nothing-up"  # that of the fixture nothing_up


def created(tmp_path: Path, service: str, number: int = 1, **ports: int) -> ProjectState:
    """A replica that was created and not started; `ports` are p8010=18010: the container's port, and this machine's."""
    state = ProjectState(tmp_path / "state", PROJECT)
    state.ensure()
    own = {name.removeprefix("p"): port for name, port in ports.items()}
    state.save(dataclasses.replace(RECORD, service=service, number=number, ports=own))
    return state


def running(monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    """Supervisor says that these run; the process behind each is the test's own."""
    entry: dict[str, Any] = {"state": RUNNING, "pid": os.getpid(), "start": 1_795_519_669, "stop": 0}
    monkeypatch.setattr(Supervisor, "info", lambda _: dict.fromkeys(programs, entry))
