"""What PostgreSQL's errors mean for who asked: wait, mend the data, or mend the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from services.errors import Refuses, Unacceptable

# SQLSTATE classes of troubles that pass: connection, rollback, resources, an operator's intervention.
PASSING = frozenset({"08", "40", "53", "57"})
# Those of what is in a batch: a value, a constraint, more than a limit of the program takes.
OF_ITS_CONTENT = frozenset({"22", "23", "54"})


def storable(text: str) -> str:
    """PostgreSQL stores neither U+0000 nor lone surrogates; a dead letter must always be storable."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def passes(error: psycopg.Error) -> bool:
    """Whether waiting helps."""
    if error.sqlstate is None:
        # The client's own: of these, the connection's pass.
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in PASSING


def why(error: psycopg.Error) -> str:
    """The error by its names alone: its text may quote the event."""
    return " ".join(filter(None, (error.sqlstate, type(error).__name__, error.diag.constraint_name)))


def named(error: psycopg.Error) -> str:
    """The error's code and its first line."""
    line = (str(error).splitlines() or [""])[0]
    return f"{error.sqlstate or type(error).__name__} {line}".strip()


@contextmanager
def judged(close: Callable[[], None]) -> Iterator[None]:
    """Around statements. Raises Unacceptable for what is in the data (SQLSTATE classes 22, 23 and 54), psycopg.Error
    for troubles that pass (classes 08, 40, 53, 57, and a connection that breaks or does not come about), Refuses for
    everything else of the database's. Closes the connection unless the data is to blame."""
    try:
        yield
    except psycopg.Error as error:
        if (error.sqlstate or "")[:2] in OF_ITS_CONTENT:
            raise Unacceptable(why(error)) from error
        close()
        if not passes(error):
            raise Refuses(f"the database refuses: {named(error)}") from error
        raise
