"""Whatever a message holds, it is done, refused, absorbed or let go: none ends the worker, none is lost unsaid."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from services.affiliates.domain.commands import COMMANDS, EVENTS
from services.affiliates.handlers import Outcome, handle
from services.affiliates.messages import decode
from tests.fuzz import MEMBERS, altered, messages
from tests.unit.services.affiliates.affiliates_fakes import FakeStore
from tests.unit.services.affiliates.test_affiliates_handlers import (
    ANA,
    CREATE,
    DAYS,
    NEW_POST,
    POST,
    PUBLISH,
    SAGA,
    TOPICS,
)
from tests.unit.services.affiliates.test_affiliates_handlers import (
    COMMANDS as TOPIC,
)
from tests.unit.services.affiliates.test_affiliates_handlers import (
    EVENTS as EVENTS_TOPIC,
)
from tests.unit.services.tracking.tracking_fakes import FakeMessage

SEED = int(os.environ.get("ALPES_FUZZ_SEED", "20261124"))
MESSAGES = 20_000
NAMES = (*COMMANDS, *EVENTS)
OF_COMMANDS = (*MEMBERS, *NEW_POST, "name", "email", "msg_id", "saga_id", "payload", "total_interactions")


def sound(rng: random.Random, name: str) -> dict[str, Any]:
    """A body that its name allows."""
    match name:
        case "CreateAffiliate":
            return {"name": "Eve", "email": f"{rng.getrandbits(64)}@example.org", "program_id": "p"}
        case "CreatePost":
            return dict(NEW_POST)
        case "CalculateCost":
            return {"saga_id": f"{rng.getrandbits(128):032x}", "payload": DAYS}
        case "InteractionsInfoBuilt":
            return {"saga_id": SAGA, "payload": {"post_id": POST, "total_interactions": rng.randrange(9)}}
        case _:
            return {"affiliate_id": ANA}


def of_affiliates(seed: int, count: int) -> Iterator[FakeMessage]:
    """The fuzzed messages of tracking, on this service's topics; most under its names, and with bodies near to them."""
    rng = random.Random(seed)
    for message in messages(seed, count):
        named = message.named or {}
        body = message.body
        if rng.random() < 0.8:
            name = rng.choice(NAMES)
            named = {**named, "name": name}
            if rng.random() < 0.8:
                named.pop("commandId", None)
            if rng.random() < 0.9:
                body = altered(rng, sound(rng, name), OF_COMMANDS)
        topic = EVENTS_TOPIC if rng.random() < 0.2 else TOPIC
        yield FakeMessage(body, named, topic=topic, at=message.at, published_ms=message.published_ms)


def test_no_message_ends_the_worker_and_what_is_refused_can_be_stored() -> None:
    print(f"ALPES_FUZZ_SEED={SEED}")
    found: Counter[Outcome] = Counter()
    everything = of_affiliates(SEED, MESSAGES)
    while batch := list(islice(everything, 200)):
        store = FakeStore()
        handle(store, [CREATE, PUBLISH], TOPICS)
        handled = handle(store, [decode(message, EVENTS_TOPIC) for message in batch], TOPICS)
        found.update(one.outcome for one in handled)
        refused = [one for one in handled if one.outcome is Outcome.REFUSED]
        letters = [message for message in store.tables.outbox if message.topic.endswith("-DLQ")]
        assert [letter.body for letter in letters] == [one.incoming.message.data() for one in refused]
        json.dumps([[one.incoming.id, one.incoming.fingerprint] for one in handled]).encode()
    print(dict(found))
    assert min(found[outcome] for outcome in Outcome) > 0
    assert min(found[outcome] for outcome in (Outcome.DONE, Outcome.REFUSED, Outcome.IGNORED)) > MESSAGES // 100
