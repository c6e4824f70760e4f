"""`up` over the data of an older version upgrades it. On a stack of its own, which measures nothing: it may run beside
others."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import made
from tests.e2e.test_migrations import BY_CAMPAIGN, DATA, FIRST, KEPT, NEWEST, content, run, to
from tests.engine import ONE_RUNTIME


def test_up_over_the_data_of_an_older_version_must_upgrade_it(tmp_path: Path) -> None:
    (runtime,) = ONE_RUNTIME
    with made(runtime, tmp_path, {}, "upgrade") as old:
        old.ok("up", "tracking_db")
        database = f"app:app@{old.project().runtime.endpoint('tracking_db', 5432)}/app"
        to(database, FIRST)
        run(database, DATA)
        before = content(database)
        old.ok("down")
        old.ok("up", "tracking_setup")
        assert content(database) == before
        assert run(database, "SELECT version_num FROM alembic_version") == [(NEWEST,)]
        assert run(database, KEPT) == run(database, BY_CAMPAIGN) != []
