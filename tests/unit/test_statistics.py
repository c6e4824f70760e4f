"""What is read of a stack of which parts may be away; and what two readings make: how fast was counted, and which
backlog grows."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from alpesctl.errors import StackDownError, UsageError
from alpesctl.runtimes.base import Endpoint
from alpesctl.stack.load import load
from alpesctl.stack.model import StatsSource
from alpesctl.statistics import Away, Counted, Rates, Reading, Waiting, rates, read

SOURCE = StatsSource("By day", "http://web:80/stats", ("day", "status", "count"), total="count", shown=2)
OTHER = StatsSource("By what", "http://web:80/what", ("what", "count"))
COMPOSE = """
x-alpes:
  pulsar: {service: bus}
  stats:
    - {title: Orders, url: "http://shop:80/orders", columns: [day, count], total: count}
    - {title: Carts, url: "http://shop:80/carts?limit=2", columns: [cart, count]}
    - {title: Staff, url: "http://office:80/staff", columns: [what, count]}
services: {bus: {image: bus}, shop: {image: shop}, office: {image: office}}
"""
ORDERS = {"items": [{"day": "2026-11-24", "count": 3}, {"day": "2026-11-23", "count": 4}]}


def reading(at: float, counts: list[int] | None, backlog: int | None, source: StatsSource = SOURCE) -> Reading:
    items = [{"day": "2026-11-24", "status": str(n), "count": count} for n, count in enumerate(counts or ())]
    waits = [Waiting("orders", 1, "shop", "Shared", backlog, 1)] if backlog is not None else None
    return Reading(at, [Counted(source, items)] if counts is not None else [], waits)


def test_rates_are_differences_a_second() -> None:
    found = rates(reading(10.0, [100, 5], 50), reading(12.0, [300, 5], 20))
    assert found == Rates({"By day": 100.0}, {("orders", "shop"): -15.0})


def test_what_was_away_in_either_reading_has_no_rate() -> None:
    assert rates(reading(0.0, None, None), reading(1.0, [7], 7)) == Rates({}, {})
    assert rates(reading(0.0, [7], 7), reading(1.0, None, None)) == Rates({}, {})


def test_a_first_reading_has_no_rate() -> None:
    first = reading(5.0, [7], 7)
    assert rates(first, first) == Rates({}, {})


def test_a_source_that_names_no_total_must_have_neither_sum_nor_rate() -> None:
    before, after = reading(0.0, [1], None, OTHER), reading(1.0, [2], None, OTHER)
    assert (after.counted[0].total, rates(before, after)) == (None, Rates({}, {}))


def test_a_page_must_have_no_total() -> None:
    page = Counted(SOURCE, [{"day": "1", "count": 5}], "http://127.0.0.1:1/stats?limit=1", "a b=")
    whole = Counted(SOURCE, [{"day": "1", "count": 5}])
    assert (page.total, whole.total, whole.next_url) == (None, 5, "")
    assert page.next_url == "http://127.0.0.1:1/stats?limit=1&cursor=a+b%3D"
    assert rates(Reading(0.0, [whole], None), Reading(1.0, [page], None)).counted == {}


def test_a_source_must_show_the_first_so_many_values_of_its_first_column_and_count_all() -> None:
    days = [("3", "ok", 1), ("3", "bad", 2), ("2", "ok", 3), ("1", "ok", 4)]
    counted = Counted(SOURCE, [dict(zip(SOURCE.columns, day, strict=True)) for day in days])
    assert [item["count"] for item in counted.first()] == [1, 2, 3]
    assert counted.total == 10
    assert len(Counted(OTHER, counted.items).first()) == 4


class Services:
    """Two services behind one real HTTP server; a path without an answer here is 503."""

    def __init__(self, port: int, folder: Path) -> None:
        (folder / "compose.yaml").write_text(COMPOSE)
        self.spec = load(start=folder, environment={})
        self.answers: dict[str, Any] = {"/orders": ORDERS, "/carts": {"items": []}, "/staff": {"items": []}}
        self.ports = {"shop": port, "office": port}
        self.asked: list[str] = []
        self.broker_is_up = True

    def endpoint(self, service: str, container_port: int) -> Endpoint:
        if service not in self.ports:
            raise StackDownError(f"{service} is not up", out="alpesctl up")
        return Endpoint("127.0.0.1", self.ports[service])

    def replicas(self, *, with_health: bool) -> list[Any]:
        return [SimpleNamespace(service=name) for name in self.spec.services]

    def admin(self, *, timeout: float) -> Any:
        if not self.broker_is_up:
            raise StackDownError("the bus is not up", out="alpesctl up")
        return SimpleNamespace(topics=set)

    def read(self) -> Reading:
        project = SimpleNamespace(runtime=self, spec=self.spec, admin=self.admin)
        return read(project, patience=5.0)  # type: ignore[arg-type]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            answer = found.answers.get(urlsplit(self.path).path)
            body = json.dumps({"detail": "the database does not answer"} if answer is None else answer).encode()
            self.send_response(503 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Services(server.server_port, tmp_path)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def told(found: Reading) -> list[str]:
    return [each.source.title for each in found.counted]


def missing(found: Reading) -> dict[str, str]:
    return {each.title: each.what for each in found.away}


def test_all_that_answers_must_be_read(services: Services) -> None:
    services.answers["/carts"] = {"items": [{"cart": "a", "count": 1}], "next_cursor": "b"}
    found = services.read()
    assert (told(found), found.away, found.waiting) == (["Orders", "Carts", "Staff"], [], [])
    orders, carts, _ = found.counted
    assert (orders.total, orders.next_url) == (7, "")
    assert carts.next_url == f"http://127.0.0.1:{services.ports['shop']}/carts?limit=2&cursor=b"


def test_a_service_that_is_not_up_must_leave_the_others_told(services: Services) -> None:
    del services.ports["office"]
    found = services.read()
    assert (told(found), missing(found)) == (["Orders", "Carts"], {"Staff": "office is not up"})
    assert found.away[0].out == "alpesctl up"
    found.require_an_answer()


def test_a_service_whose_database_is_away_must_be_told_in_its_own_words(services: Services) -> None:
    del services.answers["/orders"]
    found = services.read()
    assert told(found) == ["Carts", "Staff"]
    assert missing(found) == {"Orders": "shop answers 503: the database does not answer"}
    assert "alpesctl doctor" in found.away[0].out


@pytest.mark.parametrize("answer", [[], {}, {"items": 1}, {"items": [1]}, "x"])
def test_an_answer_without_items_must_be_told(services: Services, answer: object) -> None:
    services.answers["/orders"] = answer
    assert missing(services.read()) == {"Orders": "shop answers what can't be read"}


def test_a_service_that_does_not_answer_must_be_waited_for_once(services: Services) -> None:
    asked: list[str] = []
    resolved = services.endpoint
    services.endpoint = lambda service, port: (asked.append(service), resolved(service, port))[1]  # type: ignore[method-assign]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        services.ports["shop"] = closed.getsockname()[1]
    found = services.read()
    assert missing(found) == {"Orders": "shop does not answer", "Carts": "shop does not answer"}
    assert (told(found), asked) == (["Staff"], ["shop", "office"])


def test_a_broker_that_is_away_must_not_look_like_empty_topics(services: Services) -> None:
    services.broker_is_up = False
    found = services.read()
    assert found.waiting is None
    assert found.away == [Away("Waiting in the topics", "the bus is not up", "", "alpesctl up")]
    found.require_an_answer()


def test_nothing_that_answers_must_be_an_error_with_every_reason_once(services: Services) -> None:
    services.ports, services.broker_is_up = {}, False
    with pytest.raises(StackDownError, match="nothing of the stack answers") as caught:
        services.read().require_an_answer()
    assert caught.value.why == "shop is not up; office is not up; the bus is not up"
    assert caught.value.exit_code == 3


def test_a_url_that_names_no_service_must_be_an_error_of_the_compose_file(services: Services) -> None:
    services.spec.services.pop("office")  # type: ignore[attr-defined]
    services.replicas = lambda *, with_health: []  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="does not name a service"):
        services.read()
