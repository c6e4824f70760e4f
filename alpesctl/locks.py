"""Who may change a project when: one change at a time, one run at a time, and small changes beside a run.

A *change* holds the stack for as long as it carries a plan out. A *run* (a scenario) holds the project for all of its
time, but the stack only while it shapes it, so that an operator can scale or grow a topic under load; such
changes are noted, and the run's record names them. Must not know what is changed.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from alpesctl.errors import MachineError

BESIDE = "a scenario is running: its record names this change"
_POLL = 0.1
_PATIENCE = 120.0  # seconds that a run waits for an operator's change before it shapes or puts back


class Locks:
    """The lock files of one project; the operating system gives them free when their holder dies."""

    def __init__(self, state_dir: Path, project: str) -> None:
        self._project = project
        self._change = state_dir / f"{project}.lock"
        self._run = state_dir / f"{project}.run.lock"
        self._changes = state_dir / f"{project}.changes"

    @contextmanager
    def whole(self) -> Iterator[None]:
        """For what no run may overlap: `up`, `down`. Raises MachineError while somebody else is at work."""
        with self._held(self._run), self._held(self._change):
            yield

    @contextmanager
    def change(self) -> Iterator[bool]:
        """For what may happen beside a run, which notes it: whether there is one."""
        with self._held(self._change):
            beside = self.running()
            if beside:
                with self._changes.open("a") as file:
                    file.write(f"{datetime.now(UTC):%H:%M:%S} UTC: alpesctl {' '.join(sys.argv[1:])}\n")
            yield beside

    @contextmanager
    def run(self) -> Iterator[None]:
        """For the whole time of a run. Begins once no change is under way."""
        with self._held(self._run):
            with self._held(self._change, patience=_PATIENCE):
                self._changes.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._changes.unlink(missing_ok=True)

    @contextmanager
    def shaping(self) -> Iterator[None]:
        """For a run that shapes the stack itself: waits for an operator's change to end."""
        with self._held(self._change, patience=_PATIENCE):
            yield

    def changes(self) -> list[str]:
        """What was changed beside the run that is held here."""
        try:
            return self._changes.read_text().splitlines()
        except FileNotFoundError:
            return []

    def running(self) -> bool:
        """Whether a run holds the project now."""
        try:
            with self._run.open() as file:
                return not _try(file, fcntl.LOCK_SH)
        except FileNotFoundError:
            return False

    @contextmanager
    def _held(self, path: Path, *, patience: float = 0.0) -> Iterator[None]:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+") as file:
            deadline = time.monotonic() + patience
            while not _try(file, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    file.seek(0)
                    raise MachineError(
                        f"another alpesctl is at work on the project {self._project}",
                        why=f"{file.read().strip() or 'it'} has not ended yet",
                        out="wait for it, or end it",
                    )
                time.sleep(_POLL)
            file.truncate(0)
            file.write(f"process {os.getpid()} ({' '.join(sys.argv[1:])})")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)


def _try(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
