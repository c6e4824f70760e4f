"""What the command line hands to a command: the project, and ways to show progress, ask and stream.

Commands import this instead of rich or typer's printing; `cli.py` fills it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from alpesctl.errors import UsageError

if TYPE_CHECKING:
    from alpesctl.project import Project, Where
    from alpesctl.reconcile.plan import Operation
    from alpesctl.result import Result
    from alpesctl.runtimes.base import Step


class ProgressView(Protocol):
    """Shows what a command is doing, on standard error."""

    def operation(self, stage: str, operation: Operation) -> None: ...

    def step(self, step: Step) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass
class Context:
    """One invocation. `ask` returns whether a person agreed, None where nobody can be asked; `warn` tells a person
    something besides the result; `log_line` streams a line of a replica's log ("" for none), with what the pattern
    finds highlighted at a terminal; `stream_document` a result as a line of JSON. `open_live` gives what shows one
    result in place of the last, None without a terminal. A command that only looks leaves everything as it finds it."""

    where: Where
    open_progress: Callable[[str], Any]
    ask: Callable[[str], bool | None]
    stream: Callable[[str], None]
    log_line: Callable[[str, str, re.Pattern[str] | None], None]
    warn: Callable[[str], None]
    stream_document: Callable[[Result], None]
    open_live: Callable[[str], AbstractContextManager[Callable[[Result], None] | None]]
    only_looks: bool = False

    @cached_property
    def project(self) -> Project:
        from alpesctl.project import Project

        project = Project(self.where)
        if not self.only_looks:
            for text in project.undo_left_faults():
                self.warn(text)
        return project

    @contextmanager
    def progress(self, title: str) -> Iterator[ProgressView]:
        """A progress view that is closed at the end, whatever happens."""
        with self.open_progress(title) as view:
            yield view

    def confirm(self, question: str) -> None:
        """Ask before data is destroyed; raises UsageError where the answer is no or can't be had."""
        answer = self.ask(question)
        if answer is None:
            raise UsageError(question, why="there is no terminal to ask at", out="add --yes")
        if not answer:
            raise UsageError("nothing was done", why="the answer was no")


def context_of(ctx: Any) -> Context:
    """The Context that cli.py put into Typer's context."""
    found = ctx.find_root().obj
    assert isinstance(found, Context)
    return found
