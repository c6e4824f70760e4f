"""What a run's faults did to the stack and did not undo yet, on disk: it outlives the run's own death.

Must not decide when to undo; a run undoes its own, the next command those of a run that was killed.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from alpesctl.atomic import write_text
from alpesctl.errors import AlpesError
from alpesctl.runtimes.base import Runtime, State, present


@dataclass(frozen=True)
class Entry:
    """A replica that is held down by `action`: kill, stop or pause."""

    service: str
    number: int
    action: str

    def __str__(self) -> str:
        return f"{self.service}-{self.number} ({self.action})"


class Journal:
    """The entries of one project; each is written before its action, and removed once it is undone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def entries(self) -> list[Entry]:
        try:
            return [Entry(**raw) for raw in json.loads(self._path.read_text())]
        except FileNotFoundError:
            return []

    def begin(self, service: str, number: int, action: str) -> None:
        """The action is about to be carried out; it takes the place of an earlier one on that replica."""
        self._change(service, number, [Entry(service, number, action)])

    def end(self, service: str, number: int) -> None:
        """The replica runs again."""
        self._change(service, number, [])

    def _change(self, service: str, number: int, new: list[Entry]) -> None:
        with self._lock:
            kept = [entry for entry in self.entries() if (entry.service, entry.number) != (service, number)]
            if entries := kept + new:
                write_text(self._path, json.dumps([asdict(entry) for entry in entries]))
            else:
                self._path.unlink(missing_ok=True)


def undo(journal: Journal, runtime: Runtime) -> list[str]:
    """Lift and start what the journal's entries hold down; says what was done, or why it could not be.

    A replica that is gone, or runs again, needs nothing."""
    words = []
    for entry in journal.entries():
        try:
            state = present(runtime, entry.service).get(entry.number)
            if state is State.PAUSED:
                runtime.unpause(entry.service, entry.number)
            elif state in (State.EXITED, State.CREATED):
                runtime.start(entry.service, entry.number)
        except AlpesError as error:
            words.append(f"a killed run's fault is still there: {entry}: {error.what} {error.why}".strip())
            continue
        journal.end(entry.service, entry.number)
        words.append(f"undone, of a run that was killed: {entry}")
    return words
