"""The affiliates service over HTTP: writes are commands with an id, reads are pages, errors are problems."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg
import pytest

from services.affiliates.adapters.tables import AffiliateRow, PostCostRow, PostRow
from services.affiliates.api.app import MAX_BODY, build
from services.affiliates.domain.commands import CalculateCost, CreateAffiliate, CreatePost, SetStatus
from services.affiliates.messages import Outgoing, decode
from services.errors import InDoubt, KeyReused, NothingAttempted
from tests.unit.services.asgi import Answer, ask, problem
from tests.unit.services.tracking.tracking_fakes import FakeMessage

TOPIC = "persistent://public/default/commands.affiliates"
ANA, POST, COST = (f"0b7a8a7e-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
NEW_ANA = {"name": "Ana", "email": "ana@example.org", "program_id": "p"}
NEW_POST = {"title": "t", "content": "c", "affiliate_id": ANA, "brand_id": "b"}
DAYS = {"start_date": "2026-11-01", "end_date": "2026-11-30"}
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


class FakeOutbox:
    """Keeps what is stored; raises `error` instead where there is one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.stored: list[Outgoing] = []

    def store(self, message: Outgoing) -> None:
        if self.error is not None:
            raise self.error
        self.stored.append(message)


class FakeReading:
    """One affiliate, with one post, with one cost; `away` is what the database does instead of answering."""

    def __init__(self) -> None:
        self.away: Exception | None = None
        self.refusals: dict[UUID, str] = {}
        self.asked: list[tuple[Any, ...]] = []

    def _answer(self, value: Any, *asked: Any) -> Any:
        if self.away is not None:
            raise self.away
        self.asked.append(asked)
        return value

    def check(self) -> None:
        self._answer(None)

    def affiliate(self, wanted: UUID) -> Any:
        row = AffiliateRow(id=UUID(ANA), **NEW_ANA, status="pending", joined_at=NOW, created_at=NOW, updated_on=NOW)
        return self._answer(row if wanted == UUID(ANA) else None)

    def post(self, wanted: UUID) -> Any:
        row = PostRow(id=UUID(POST), title="t", content="c", affiliate_id=UUID(ANA), brand_id="b", created_at=NOW)
        return self._answer(row if wanted == UUID(POST) else None)

    def calculation(self, wanted: UUID) -> Any:
        row = PostCostRow(
            id=UUID(COST),
            post_id=UUID(POST),
            start_date=date(2026, 11, 1),
            end_date=date(2026, 11, 30),
            correlation_id="walk",
            interactions_count=51,
            base_cost=Decimal("1.00"),
            interaction_cost=Decimal("0.05"),
            interaction_total_cost=Decimal("2.55"),
            engagement_multiplier=Decimal("1.5"),
            total_cost=Decimal("5.325"),
            created_at=NOW,
            calculated_at=NOW,
        )
        return self._answer(row if wanted == UUID(COST) else None)

    def refusal(self, wanted: UUID) -> str | None:
        return self.refusals.get(wanted)

    def affiliates(self, limit: int, after: Any) -> Any:
        return self._answer([self.affiliate(UUID(ANA))] * min(limit, 2), limit, after)

    def posts(self, limit: int, after: Any, affiliate_id: UUID | None) -> Any:
        return self._answer([self.post(UUID(POST))], limit, after, affiliate_id)

    def calculations(self, limit: int, after: Any, post_id: UUID) -> Any:
        return self._answer([self.calculation(UUID(COST))], limit, after, post_id)

    def totals(self) -> Any:
        return self._answer([{"what": "posts", "status": "published", "count": 1, "total_cost": None}])


class Bench:
    def __init__(self) -> None:
        self.outbox, self.reading, self.broker_answers = FakeOutbox(), FakeReading(), True
        reading: Any = self.reading
        self.app = build(self.outbox, reading, TOPIC, lambda: self.broker_answers)

    def get(self, path: str) -> Answer:
        return ask(self.app, "GET", f"/affiliates{path}")

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return ask(self.app, "POST", f"/affiliates{path}", content, {"content-type": "application/json", **sent})

    @property
    def command(self) -> Any:
        """What was stored last, as the worker will read it."""
        sent = self.outbox.stored[-1]
        message = FakeMessage(sent.body, dict(sent.properties), sent.key, sent.topic)
        return decode(message, "persistent://public/default/events.tracking")


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("path", "body", "command", "where", "key"),
    [
        ("/", NEW_ANA, CreateAffiliate("Ana", "ana@example.org", "p"), "/affiliates/{id}", "{id}"),
        ("/posts", NEW_POST, CreatePost("t", "c", ANA, "b"), "/affiliates/posts/{id}", ANA),
        (f"/{ANA}/activate", None, SetStatus(ANA, "active"), f"/affiliates/{ANA}?command={{id}}", ANA),
        (f"/{ANA}/suspend", None, SetStatus(ANA, "suspended"), f"/affiliates/{ANA}?command={{id}}", ANA),
    ],
)
def test_a_write_is_a_command_that_the_worker_understands(
    bench: Bench, path: str, body: Any, command: Any, where: str, key: str
) -> None:
    answer = bench.post(path, body, X_Correlation_ID="walk")
    own = answer.body["trackingId"]
    assert (answer.status, answer.body["status"]) == (202, "accepted")
    assert answer.headers["location"] == where.format(id=own)
    assert (bench.command.command, bench.command.id, bench.command.correlation_id) == (command, own, "walk")
    assert (bench.outbox.stored[-1].key, bench.outbox.stored[-1].topic) == (key.format(id=own), TOPIC)
    assert bench.outbox.stored[-1].fingerprint == bench.command.fingerprint


def test_a_cost_is_asked_for_under_its_saga(bench: Bench) -> None:
    answer = bench.post(f"/posts/{POST}/cost-calculations", DAYS, Idempotency_Key=COST)
    assert (answer.status, answer.body["trackingId"]) == (202, COST)
    assert answer.headers["location"] == f"/affiliates/posts/{POST}/cost-calculations/{COST}"
    assert bench.command.command == CalculateCost(COST, POST, date(2026, 11, 1), date(2026, 11, 30))
    assert bench.outbox.stored[-1].key == ANA  # in the order of the affiliate's other commands


def test_a_key_names_the_command(bench: Bench) -> None:
    own = bench.post("/", NEW_ANA, Idempotency_Key="k").body["trackingId"]
    assert own == str(uuid5(NAMESPACE_URL, "alpes:k")) == bench.outbox.stored[0].id
    assert bench.post("/", NEW_ANA).body["trackingId"] != bench.post("/", NEW_ANA).body["trackingId"]


@pytest.mark.parametrize(
    ("path", "body", "field", "rule"),
    [
        ("/", b"", "", "json"),
        ("/", b"[]", "", "object"),
        ("/", {**NEW_ANA, "email": "x"}, "email", "email"),
        ("/", {"name": "Ana"}, "email", "required"),
        ("/posts", {**NEW_POST, "affiliate_id": "7"}, "affiliate_id", "uuid"),
        (f"/posts/{POST}/cost-calculations", {"start_date": "2026-11-01"}, "end_date", "required"),
        (f"/posts/{POST}/cost-calculations", {**DAYS, "end_date": "2026-10-01"}, "end_date", "order"),
    ],
)
def test_a_body_that_breaks_a_rule_is_a_400_that_names_it(
    bench: Bench, path: str, body: Any, field: str, rule: str
) -> None:
    found = problem(bench.post(path, body), 400, "invalid-command")
    assert (found["field"], found["rule"]) == (field, rule)
    assert bench.outbox.stored == []


def test_what_is_too_large_or_no_json_by_its_type_is_refused(bench: Bench) -> None:
    problem(bench.post("/", b" " * (MAX_BODY + 1)), 413, "too-large")
    problem(bench.post("/", NEW_ANA, content_type="text/csv"), 415, "unsupported-media-type")
    problem(bench.post("/", NEW_ANA, Idempotency_Key="x" * 256), 400, "invalid-command")
    assert bench.outbox.stored == []


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NothingAttempted("the database is away"), 503, "nothing-attempted"),
        (InDoubt("no answer"), 504, "in-doubt"),
        (KeyReused("another"), 409, "key-reused"),
    ],
)
def test_what_is_not_accepted_says_what_is_known(bench: Bench, error: Exception, status: int, kind: str) -> None:
    bench.outbox.error = error
    answer = bench.post("/", NEW_ANA, Idempotency_Key=ANA)
    found = problem(answer, status, kind)
    assert ("retry-after" in answer.headers) == (status != 409)
    assert (found.get("trackingId") == ANA) == (status != 503)


def test_what_was_refused_says_why_where_its_result_would_be(bench: Bench) -> None:
    problem(bench.get(f"/{POST}"), 404, "not-found")
    bench.reading.refusals[UUID(POST)] = "email: is another affiliate's"
    assert "another affiliate's" in problem(bench.get(f"/{POST}"), 404, "refused")["detail"]


def test_a_refused_change_says_why_at_its_location(bench: Bench) -> None:
    answer = bench.post(f"/{ANA}/activate", None)
    where = answer.headers["location"].removeprefix("/affiliates")
    assert bench.get(where).body["id"] == ANA
    bench.reading.refusals[UUID(answer.body["trackingId"])] = "affiliate_id: there is no such affiliate"
    assert "no such affiliate" in problem(bench.get(where), 404, "refused")["detail"]
    assert bench.get(f"/{ANA}").status == 200


@pytest.mark.parametrize(
    "path", ["/nope", f"/{ANA}?command=nope", "/posts/nope", f"/posts/{POST}/cost-calculations/nope"]
)
def test_an_id_that_is_none_is_a_400(bench: Bench, path: str) -> None:
    problem(bench.get(path), 400, "invalid-id")


@pytest.mark.parametrize(
    "path", ["/posts/" + ANA, f"/posts/{ANA}/cost-calculations", f"/posts/{ANA}/cost-calculations/{COST}"]
)
def test_what_is_not_there_is_a_404(bench: Bench, path: str) -> None:
    problem(bench.get(path), 404, "not-found")


def test_a_cost_of_a_post_that_is_not_there_is_a_404(bench: Bench) -> None:
    problem(bench.post(f"/posts/{ANA}/cost-calculations", DAYS), 404, "not-found")
    assert bench.outbox.stored == []


def test_what_is_there_is_shown_as_the_original_does(bench: Bench) -> None:
    moment = "2026-11-26T12:00:00+00:00"
    times = {"joined_at": moment, "updated_on": moment, "created_at": moment}
    assert bench.get(f"/{ANA}").body == {"id": ANA, **NEW_ANA, "status": "pending", **times}
    assert bench.get(f"/posts/{POST}").body == {"id": POST, **NEW_POST, "created_at": moment}
    found = bench.get(f"/posts/{POST}/cost-calculations/{COST}").body
    assert (found["status"], found["total_cost"], found["interactions_count"]) == ("calculated", "5.325", 51)
    assert bench.get("/posts").body == [bench.get(f"/posts/{POST}").body]
    assert bench.get(f"/posts/{POST}/cost-calculations").body == [found]


def test_a_full_page_links_to_the_next(bench: Bench) -> None:
    link = bench.get("/?limit=2").headers["link"]
    target, _, relation = link.partition("; ")
    assert relation == 'rel="next"'
    following = bench.get(target.strip("<>").removeprefix("/affiliates"))
    assert (following.status, bench.reading.asked[-1]) == (200, (2, (NOW, UUID(ANA))))
    assert "link" not in bench.get("/?limit=3").headers


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=x", "cursor"), ("affiliate_id=7", "affiliate_id")],
)
def test_a_parameter_that_breaks_a_rule_is_named(bench: Bench, query: str, field: str) -> None:
    assert problem(bench.get(f"/posts?{query}"), 400, "invalid-parameter")["field"] == field


def test_ready_says_which_part_is_away(bench: Bench) -> None:
    assert bench.get("/health/ready").body["status"] == "ready"
    bench.broker_answers = False
    assert bench.get("/health/ready").body == {
        "status": "degraded",
        "checks": {"pulsar": "does not answer", "database": "ok"},
    }
    bench.reading.away = psycopg.OperationalError("gone")
    assert problem(bench.get("/health/ready"), 503, "not-ready")["checks"]["database"] == "does not answer"
    assert bench.get("/health").status == 200


@pytest.mark.parametrize("path", ["/", "/posts", f"/{ANA}", f"/posts/{POST}", "/stats"])
def test_a_database_that_is_away_is_a_503(bench: Bench, path: str) -> None:
    bench.reading.away = psycopg.OperationalError("gone")
    problem(bench.get(path), 503, "database-away")


def test_a_cost_needs_the_database_to_know_the_post(bench: Bench) -> None:
    bench.reading.away = psycopg.OperationalError("gone")
    problem(bench.post(f"/posts/{POST}/cost-calculations", DAYS), 503, "nothing-attempted")
