"""Affiliates, their posts and what those cost: each command must take effect once, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pulsar
import pytest

from tests.e2e.conftest import Stack
from tests.engine import ONE_RUNTIME
from tests.waiting import eventually

# By hand: ALPES_TEST_AFFILIATES=2000 pytest -k killed tests/e2e/test_affiliates.py; 2.5 posts and half a cost of each.
AFFILIATES = int(os.environ.get("ALPES_TEST_AFFILIATES", "200"))
CALLERS = 32
DAYS = {"start_date": "2020-01-01", "end_date": "2099-12-31"}
EVENTS = "persistent://public/default/events.affiliates"
KILLED = ("affiliates_worker", "tracking_worker", "pulsar", "affiliates_db")


@dataclass
class Caller:
    """Calls the service until a command is accepted, always under the same key; keeps what came back."""

    url: str
    session: aiohttp.ClientSession
    answers: Counter[int | str] = field(default_factory=Counter)

    async def send(self, path: str, body: object, key: str) -> str:
        """The id that the service gave the command."""
        while True:
            try:
                async with self.session.post(
                    f"{self.url}{path}", json=body, headers={"Idempotency-Key": key}
                ) as answer:
                    self.answers[answer.status] += 1
                    said = await answer.json(content_type=None)
            except (aiohttp.ClientError, TimeoutError) as error:
                self.answers[type(error).__name__] += 1
                continue
            if answer.status == 202:
                tracking_id: str = said["trackingId"]
                return tracking_id
            # Nothing else may come than what asks for another try.
            assert answer.status in (503, 504), said
            await asyncio.sleep(0.1)

    async def read(self, path: str) -> Any:
        """What is there, once it is."""
        while True:
            try:
                async with self.session.get(f"{self.url}{path}") as answer:
                    if answer.status == 200:
                        return await answer.json()
                    assert answer.status in (404, 503), await answer.text()
            except (aiohttp.ClientError, TimeoutError):
                continue
            await asyncio.sleep(0.05)


@contextmanager
def told(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    """A list that holds, once it is left, what the service published meanwhile on events.affiliates: what each event
    says, its name, and its body as it came."""
    endpoint = stack.project().runtime.endpoint("pulsar", 6650)
    client = pulsar.Client(f"pulsar://{endpoint}", logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    name = f"test-{uuid.uuid4().hex[:8]}"
    client.subscribe(EVENTS, name, initial_position=pulsar.InitialPosition.Latest).close()
    found: list[dict[str, Any]] = []
    try:
        yield found
        consumer = client.subscribe(EVENTS, name)
        while True:
            try:
                message = consumer.receive(timeout_millis=2000)
            except pulsar.Timeout:
                break
            body = message.data()
            found.append({**json.loads(body), "name": message.properties()["name"], "body": body})
            consumer.acknowledge(message)
        consumer.unsubscribe()
    finally:
        client.close()


def new_affiliate(program_id: str = "p") -> dict[str, str]:
    return {"name": "Ana", "email": f"{uuid.uuid4().hex}@example.org", "program_id": program_id}


def new_post(affiliate_id: str) -> dict[str, str]:
    return {"title": "t", "content": "c", "affiliate_id": affiliate_id, "brand_id": "b"}


def test_a_cost_must_be_that_of_the_interactions_and_be_followed_by_its_correlation_id(stack: Stack) -> None:
    walk, post_id = f"walk-{uuid.uuid4().hex[:8]}", str(uuid.uuid4())

    async def go() -> Any:
        async with aiohttp.ClientSession(headers={"X-Correlation-ID": walk}) as session:
            caller = Caller(stack.url("affiliates", 8000, "/affiliates"), session)
            ana = await caller.send("/", new_affiliate(), str(uuid.uuid4()))
            await caller.send(f"/{ana}/activate", None, str(uuid.uuid4()))
            assert await caller.send("/posts", new_post(ana), post_id) == post_id
            await caller.read(f"/posts/{post_id}")
            assert (await caller.read(f"/{ana}"))["status"] == "active"
            cost = await caller.send(f"/posts/{post_id}/cost-calculations", DAYS, str(uuid.uuid4()))
            while True:
                found = await caller.read(f"/posts/{post_id}/cost-calculations/{cost}")
                if found["status"] == "calculated":
                    return found
                await asyncio.sleep(0.05)

    body = {"target_element_id": post_id, "target_element_type": "post", "campaign_id": "c"}
    for kind in ("click",) * 8 + ("view",) * 3:
        assert stack.post({**body, "interaction_type": kind})[0] == 201
    stack.settled()
    with told(stack) as events:
        found = asyncio.run(asyncio.wait_for(go(), 60))
    in_sql = stack.sql("SELECT count(*) FROM interactions WHERE target_element_id = %s", post_id)[0][0]
    assert in_sql == found["interactions_count"] == 11
    # (1.00 + 0.05 * 11) * 1.2
    assert found["total_cost"] == "1.860"
    (event,) = events
    assert (event["name"], event["saga_id"]) == ("CostCalculated", found["id"])
    assert event["payload"]["total_cost"] == "1.860"
    by_type = stack.sql("SELECT by_type FROM interactions_info WHERE saga_id = %s", found["id"])[0][0]
    assert by_type == {"click": 8, "view": 3}
    logs = stack.ok("logs", "--grep", walk, "affiliates", "affiliates_worker", "tracking_worker").stdout
    for what in ("CalculateCost", "interactions info built", "InteractionsInfoBuilt"):
        assert what in logs


def test_a_command_of_the_original_and_a_bad_one_must_be_told_apart(stack: Stack) -> None:
    """As Pulsar's own clients send them: no key, no correlation."""
    endpoint = stack.project().runtime.endpoint("pulsar", 6650)
    client = pulsar.Client(f"pulsar://{endpoint}", logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    own, bad, body = str(uuid.uuid4()), str(uuid.uuid4()), new_affiliate()
    try:
        producer = client.create_producer("commands.affiliates")
        for command_id, sent in ((own, body), (own, body), (bad, {"name": "Ana"})):
            producer.send(json.dumps(sent).encode(), properties={"name": "CreateAffiliate", "commandId": command_id})
        letters = client.subscribe("commands.affiliates-DLQ", "dead-letters")
        while True:
            letter = letters.receive(timeout_millis=20_000)
            letters.acknowledge(letter)
            if letter.properties()["commandId"] == bad:
                break
    finally:
        client.close()
    assert letter.properties()["deadLetterReason"] == "email: is required"
    assert json.loads(letter.data()) == {"name": "Ana"}
    rows = stack.sql("SELECT id::text FROM affiliates WHERE email = %s", body["email"], database="affiliates_db")
    assert rows == [(own,)]


@dataclass
class Accepted:
    """The ids of what was accepted; the affiliates are of a program of their own."""

    program: str = field(default_factory=lambda: uuid.uuid4().hex)
    affiliates: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    costs: list[str] = field(default_factory=list)

    def total(self) -> int:
        return len(self.affiliates) + len(self.posts) + len(self.costs)


async def load(url: str, accepted: Accepted) -> Counter[int | str]:
    """One affiliate after another, with CALLERS at once; of each 2 or 3 posts, and a cost for every other one."""
    numbers = iter(range(AFFILIATES))
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=CALLERS)) as session:
        caller = Caller(url, session)

        async def one() -> None:
            for number in numbers:
                ana = await caller.send("/", new_affiliate(accepted.program), str(uuid.uuid4()))
                accepted.affiliates.append(ana)
                for _ in range(2 + number % 2):
                    accepted.posts.append(await caller.send("/posts", new_post(ana), str(uuid.uuid4())))
                if number % 2:
                    of = accepted.posts[-1]
                    await caller.read(f"/posts/{of}")
                    path = f"/posts/{of}/cost-calculations"
                    accepted.costs.append(await caller.send(path, DAYS, str(uuid.uuid4())))

        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(one())
    return caller.answers


@pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")
def test_every_command_must_take_effect_once_though_each_part_is_killed(stack: Stack) -> None:
    accepted, runtime = Accepted(), stack.project().runtime
    whole = AFFILIATES * 4
    done = threading.Event()
    killed: list[str] = []

    def kill() -> None:
        """Each part once, while commands are under way; up again a moment later."""
        for place, service in enumerate(random.sample(KILLED, len(KILLED)), 1):
            while accepted.total() < whole * place / (len(KILLED) + 2) and not done.wait(0.02):
                pass
            if done.is_set():
                return
            runtime.kill(service, 1)
            killed.append(service)
            done.wait(0.5)
            runtime.start(service, 1)

    killing = threading.Thread(target=kill)
    url = stack.url("affiliates", 8000, "/affiliates")
    with told(stack) as events:
        killing.start()
        try:
            answers = asyncio.run(asyncio.wait_for(load(url, accepted), 400))
        finally:
            done.set()
            killing.join()
            stack.ok("up")
        assert sorted(killed) == sorted(KILLED), answers

        def settled() -> bool:
            rows = stack.sql(
                "SELECT (SELECT count(*) FROM outbox), count(*) FILTER (WHERE calculated_at IS NULL), count(*)"
                " FROM post_costs WHERE id = ANY(%s::uuid[])",
                accepted.costs,
                database="affiliates_db",
            )
            return rows == [(0, 0, len(accepted.costs))]

        eventually(settled, within=90, what="every calculation to be done")
    for table, ids in (("affiliates", accepted.affiliates), ("posts", accepted.posts), ("post_costs", accepted.costs)):
        statement = f"SELECT count(*) FROM {table} WHERE id = ANY(%s::uuid[])"
        assert stack.sql(statement, ids, database="affiliates_db") == [(len(set(ids)),)], (table, answers)
    assert stack.sql(
        "SELECT count(*) FROM inbox WHERE refusal IS NOT NULL AND id = ANY(%s::uuid[])",
        accepted.affiliates + accepted.posts + accepted.costs,
        database="affiliates_db",
    ) == [(0,)]
    # The outbox keeps a message's body: a relay that dies between the broker's receipt and its own commit publishes the
    # same bytes again. A second calculation would say another time.
    assert {event["saga_id"] for event in events} == set(accepted.costs)
    assert {**came_of(stack, accepted), "CostCalculated": len({event["body"] for event in events})} == {
        "affiliates": len(accepted.affiliates),
        "posts": len(accepted.posts),
        "post_costs": len(accepted.costs),
        "interactions_info": len(accepted.costs),
        "CostCalculated": len(accepted.costs),
    }


def came_of(stack: Stack, accepted: Accepted) -> dict[str, int]:
    """How many rows of each table there are, found by what they belong to: a second one under another id, too."""
    ((affiliates, posts, costs),) = stack.sql(
        "SELECT (SELECT count(*) FROM affiliates WHERE program_id = %s),"
        " (SELECT count(*) FROM posts WHERE affiliate_id = ANY(%s::uuid[])),"
        " (SELECT count(*) FROM post_costs WHERE post_id = ANY(%s::uuid[]))",
        accepted.program,
        accepted.affiliates,
        accepted.posts,
        database="affiliates_db",
    )
    ((answers,),) = stack.sql("SELECT count(*) FROM interactions_info WHERE post_id = ANY(%s)", accepted.posts)
    return {"affiliates": affiliates, "posts": posts, "post_costs": costs, "interactions_info": answers}


async def in_turn(
    url: str, affiliates: int, steps: Callable[[Caller, str], Awaitable[list[str]]]
) -> dict[str, list[str]]:
    """As many new affiliates at once, of each the ids of its commands: each sent once the one before is accepted."""
    async with aiohttp.ClientSession() as session:
        caller = Caller(url, session)

        async def one() -> tuple[str, list[str]]:
            ana = await caller.send("/", new_affiliate(), str(uuid.uuid4()))
            return ana, await steps(caller, ana)

        return dict(await asyncio.gather(*(one() for _ in range(affiliates))))


@pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")
def test_an_affiliates_commands_must_take_effect_in_their_order(stack: Stack) -> None:
    """Its commands wait together; it ends as the last one has it."""

    async def steps(caller: Caller, ana: str) -> list[str]:
        turns = ("suspend", "activate") * 10
        return [await caller.send(f"/{ana}/{turn}", None, str(uuid.uuid4())) for turn in turns]

    url = stack.url("affiliates", 8000, "/affiliates")
    runtime = stack.project().runtime
    runtime.stop("affiliates_worker", 1)
    try:
        sent = asyncio.run(asyncio.wait_for(in_turn(url, 8, steps), 60))
    finally:
        runtime.start("affiliates_worker", 1)
    ids = [command for commands in sent.values() for command in commands]
    in_effect = "SELECT count(*) FROM inbox WHERE id = ANY(%s::uuid[])"
    eventually(
        lambda: stack.sql(in_effect, ids, database="affiliates_db") == [(len(ids),)], what="every command to be done"
    )
    statuses = "SELECT status, count(*) FROM affiliates WHERE id = ANY(%s::uuid[]) GROUP BY status"
    assert stack.sql(statuses, list(sent), database="affiliates_db") == [("active", len(sent))]


@pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")
def test_an_affiliates_calculations_must_be_told_in_the_order_they_were_asked_for(stack: Stack) -> None:
    async def steps(caller: Caller, ana: str) -> list[str]:
        post = await caller.send("/posts", new_post(ana), str(uuid.uuid4()))
        await caller.read(f"/posts/{post}")
        path = f"/posts/{post}/cost-calculations"
        return [await caller.send(path, DAYS, str(uuid.uuid4())) for _ in range(25)]

    url = stack.url("affiliates", 8000, "/affiliates")
    with told(stack) as events:
        sent = asyncio.run(asyncio.wait_for(in_turn(url, 8, steps), 60))
        ids = [command for commands in sent.values() for command in commands]
        done = "SELECT count(*) FROM post_costs WHERE calculated_at IS NOT NULL AND id = ANY(%s::uuid[])"
        eventually(lambda: stack.sql(done, ids, database="affiliates_db") == [(len(ids),)], what="every calculation")
    order: dict[str, list[str]] = {ana: [] for ana in sent}
    for event in events:
        order[event["payload"]["affiliate_id"]].append(event["saga_id"])
    assert order == sent


@pytest.mark.parametrize("table", ["affiliates", "posts"])
def test_no_page_must_miss_or_repeat_a_row(stack: Stack, table: str) -> None:
    rows = stack.sql(f"SELECT id::text FROM {table} ORDER BY created_at DESC, id DESC", database="affiliates_db")
    path = "/affiliates/" if table == "affiliates" else "/affiliates/posts"

    async def pages() -> list[str]:
        found: list[str] = []
        async with aiohttp.ClientSession() as session:
            target: Any = f"{stack.url('affiliates', 8000)}{path}?limit=7"
            while target:
                async with session.get(target) as answer:
                    found += [item["id"] for item in await answer.json()]
                    target = answer.links.get("next", {}).get("url")
        return found

    assert asyncio.run(pages()) == [row[0] for row in rows]
