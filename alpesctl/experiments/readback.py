"""Reads from PostgreSQL what was counted, by the scenario's SQL. An adapter; compares nothing.

Raises StackDownError where the database does not answer, UsageError where the scenario's SQL fails.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alpesctl.errors import StackDownError, UsageError
from alpesctl.experiments.evidence import Row, Snapshot
from alpesctl.experiments.ids import as_bytes, as_text
from alpesctl.experiments.model import OK, REJECTED, Readback

CHUNK = 20_000  # ids in one query


class Database:
    """`address` gives the URL as this machine reaches it, asked anew at each connection."""

    def __init__(self, address: Callable[[], str], readback: Readback) -> None:
        self._address = address
        self._readback = readback

    @contextmanager
    def _snapshot(self) -> Iterator[Any]:
        """A connection in one REPEATABLE READ, READ ONLY transaction."""
        import psycopg

        try:
            with psycopg.connect(self._address(), connect_timeout=5) as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                yield connection
        except psycopg.OperationalError as error:
            raise StackDownError(
                "the database does not answer", why=str(error).strip(), out="alpesctl status"
            ) from error
        except psycopg.Error as error:
            raise UsageError(
                "the scenario's SQL under [readback] fails", why=str(error).strip(), out="mend it in the file"
            ) from error

    def snapshot(self) -> Snapshot:
        """Counters, their rows and the deliveries, now."""
        with self._snapshot() as connection:
            return self._read(connection)

    def rows_and_snapshot(self, ids: Sequence[bytes]) -> tuple[list[Row], Snapshot]:
        """The rows of `ids` and the snapshot, both of the same moment."""
        with self._snapshot() as connection:
            rows = []
            for at in range(0, len(ids), CHUNK):
                texts = [as_text(raw) for raw in ids[at : at + CHUNK]]
                for status, sql in ((OK, self._readback.rows), (REJECTED, self._readback.rejected)):
                    found = connection.execute(sql, {"ids": texts}) if sql else ()
                    rows += [Row(_key(raw), committed, str(worker), status) for raw, committed, worker in found]
            return rows, self._read(connection)

    def _read(self, connection: Any) -> Snapshot:
        deliveries = {}
        if self._readback.deliveries:
            for worker, again, absorbed in connection.execute(self._readback.deliveries):
                deliveries[str(worker)] = (int(again), int(absorbed))
        return Snapshot(
            counters=_tally(connection.execute(self._readback.counters)),
            tally=_tally(connection.execute(self._readback.tally)),
            deliveries=deliveries,
        )

    def pending(self) -> dict[str, int]:
        """What the scenario says must be 0 once settled."""
        with self._snapshot() as connection:
            return {name: int(connection.execute(sql).fetchone()[0]) for name, sql in self._readback.pending.items()}

    def counted(self) -> int:
        """The counters' sum."""
        with self._snapshot() as connection:
            return sum(_tally(connection.execute(self._readback.counters)).values())

    def version(self) -> str:
        with self._snapshot() as connection:
            return str(connection.execute("SHOW server_version").fetchone()[0])


def _key(value: Any) -> bytes:
    if isinstance(value, uuid.UUID):
        return value.bytes
    return as_bytes(str(value)) or b""


def _tally(rows: Any) -> dict[tuple[str, str], int]:
    return {(str(day), str(status)): int(number) for day, status, number in rows}
