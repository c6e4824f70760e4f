"""Another project's stack, with the same tool: whatever it is called, it comes up, is shaped, broken and proven."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.conftest import Done, Stack
from tests.engine import RUNTIMES
from tests.ports import free_ports

FOLDER = Path(__file__).parent / "second_stack"


class Shop:
    """The bookshop, under a project name and on ports of its own."""

    def __init__(self, stack: Stack, database: int) -> None:
        self._stack = stack
        self._database = database

    def up(self) -> None:
        """Up, on an engine with an image of what is there now."""
        self.ok("up", *(["--build"] if self._stack.runtime == "docker" else []))

    def run(self, *words: str, timeout: float = 300) -> Done:
        return self._stack.run("--file", str(FOLDER / "compose.yaml"), *words, timeout=timeout)

    def ok(self, *words: str) -> Done:
        done = self.run(*words)
        assert done.exit_code == 0, f"alpesctl {' '.join(words)}: {done.stdout}{done.stderr}"
        return done

    def running(self, service: str) -> int:
        replicas = self.ok("status", "--json").data["replicas"]
        return sum(each["service"] == service and each["state"] == "running" for each in replicas)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(f"postgresql://clerk:secret@127.0.0.1:{self._database}/shop") as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(params=RUNTIMES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    bus, admin, database = free_ports(3)
    env_file = tmp_path / "env"
    text = f"BUS_PORT={bus}\nBUS_ADMIN_PORT={admin}\nBOOKS_PORT={database}\n"
    if request.param == "docker":
        images = {**request.getfixturevalue("images"), "SHOP_IMAGE": "bookshop/shop:tests"}
        text += "".join(f"{variable}={image}\n" for variable, image in images.items())
    else:
        # As most stacks have it: the broker's own port is published, and there is no other.
        text += "BUS_LISTENER=6650\n"
    env_file.write_text(text)
    made = Shop(Stack(request.param, f"bookshop-tests-{request.param}", env_file, tmp_path), database)
    made.run("down", "--volumes", "--yes")
    yield made
    made.ok("down", "--volumes", "--yes")


def test_a_stack_that_is_not_ours_must_be_brought_up_shaped_broken_and_proven(shop: Shop) -> None:
    shop.up()
    assert shop.ok("plan", "--json").data["operations"] == []
    shop.ok("scale", "till=2")
    assert shop.running("till") == 2

    done = shop.run("scenario", "run", str(FOLDER / "orders.toml"), "--json")
    assert done.exit_code == 0, done.stdout[-3000:] + done.stderr[-1000:]
    findings = done.data["findings"]
    assert (findings["lost_total"], findings["duplicated_total"]) == (0, 0)
    assert findings["sent"] == findings["accepted"] == 8 * 300
    assert shop.sql("SELECT count(*), count(DISTINCT till) FROM sales") == [(8 * 300, 3)]
    assert shop.sql("SELECT title, sold FROM titles") == [("Emma", 8 * 300)]
    assert shop.running("till") == 2, "the shape was not put back"
    shop.ok("down")
    assert shop.running("till") == 0
