"""Connections to PostgreSQL that notice a dead server within seconds."""

from __future__ import annotations

from typing import Any

import psycopg

CONNECT: dict[str, Any] = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 4000,
    "options": "-c idle_in_transaction_session_timeout=5000",
}


def connect(conninfo: str, name: str, *, autocommit: bool = True, connect_timeout: int = 3) -> psycopg.Connection[Any]:
    """A connection; `name` is what pg_stat_activity shows, `connect_timeout` in seconds."""
    options = {**CONNECT, "connect_timeout": connect_timeout}
    return psycopg.connect(conninfo, autocommit=autocommit, application_name=name, **options)


async def connect_async(conninfo: str, name: str) -> psycopg.AsyncConnection[Any]:
    """A connection for an event loop, in autocommit."""
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, application_name=name, **CONNECT)
