"""Bad messages on the real topic: each one error and one dead letter that says why, and the worker goes on."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping

import pulsar
import pytest

from services.tracking.adapters.decoding import decode
from services.tracking.domain.outcomes import Rejected
from services.tracking.handlers import DIFFERENT
from tests.e2e.conftest import Stack
from tests.engine import ONE_RUNTIME
from tests.fuzz import messages
from tests.poison import EVENT, KINDS, NAMED
from tests.unit.services.tracking.tracking_fakes import FakeMessage
from tests.waiting import eventually

pytestmark = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")

SEED, NASTY = 7, 400
# A client sends a message of up to 5 MiB: with what a dead letter says besides, this body is too big for one.
MOST_BODY = 5 * 2**20 - 200


def send(stack: Stack, sent: Iterable[tuple[bytes, str, Mapping[str, str]]]) -> None:
    """Messages as they are, each a broker entry of its own: the body, the key, the properties."""
    endpoint = stack.project().runtime.endpoint("pulsar", 6650)
    client = pulsar.Client(f"pulsar://{endpoint}", logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        producer = client.create_producer("commands.tracking", batching_enabled=False, max_pending_messages=10_000)
        failed: list[object] = []
        for body, key, properties in sent:
            producer.send_async(
                body,
                lambda result, _: failed.append(result) if result != pulsar.Result.Ok else None,
                partition_key=key or None,
                properties=dict(properties),
            )
        producer.flush()
        assert not failed
    finally:
        client.close()


def letters(stack: Stack) -> Counter[str]:
    return Counter(reason for (reason,) in stack.sql("SELECT reason FROM dead_letters"))


def relayed(stack: Stack) -> None:
    eventually(
        lambda: stack.sql("SELECT 1 FROM dead_letters WHERE published_at IS NULL LIMIT 1") == [],
        within=60,
        what="every dead letter relayed",
    )


def test_each_kind_of_poison_must_be_one_error_and_one_dead_letter_that_says_why(stack: Stack) -> None:
    ok = stack.settled()
    errors, before, worker = stack.counted("error"), letters(stack), stack.replica("tracking_worker").pid
    send(stack, ((poison.body, "7", poison.properties) for poison in KINDS))
    eventually(lambda: stack.counted("error") >= errors + len(KINDS), what="all of them counted")
    relayed(stack)
    assert letters(stack) - before == Counter(poison.reason for poison in KINDS)
    assert (stack.settled(), stack.counted("error")) == (ok, errors + len(KINDS))
    assert stack.replica("tracking_worker").pid == worker


def test_the_nastiest_messages_must_each_be_counted_once_and_stop_nothing(stack: Stack) -> None:
    chosen = [message for message in messages(SEED, NASTY) if _sendable(message)]
    big = [
        FakeMessage(b"x" * MOST_BODY, {"name": "Big"}),
        FakeMessage(b"", {"name": "Big", "x": "\x01" * 5_000_000}),
        FakeMessage(b"", {"name": "Big", "\x01" * 2_000_000: "x", "y": "\x00" * 1_000_000}),
    ]
    chosen += big
    ok = stack.settled()
    errors, worker = stack.counted("error"), stack.replica("tracking_worker").pid
    bad = sum(isinstance(decode(message), Rejected) for message in chosen)
    send(stack, ((m.body, m.key or "", m.named or {}) for m in chosen))
    last = str(uuid.uuid4())
    assert stack.post(Idempotency_Key=last)[0] == 201
    eventually(lambda: stack.sql("SELECT 1 FROM interactions WHERE id = %s", last), within=60, what="the last one")
    good = len(chosen) - bad + 1
    assert stack.settled() == ok + good
    assert stack.counted("error") == errors + bad
    assert stack.replica("tracking_worker").pid == worker
    relayed(stack)


def _sendable(message: FakeMessage) -> bool:
    """Whether Pulsar's Python client can send it: it takes text that is UTF-8, and no position of a replay twice."""
    if message.key is None or message.named is None or "deadLetterId" in message.named:
        return False
    try:
        "".join((*message.named, *message.named.values())).encode()
    except UnicodeEncodeError:
        return False
    return True


def test_another_body_under_a_counted_id_must_be_one_error_a_message_and_never_overwrite(stack: Stack) -> None:
    ok, own = stack.settled(), str(uuid.uuid4())
    errors, before = stack.counted("error"), letters(stack)
    first, other = ({**EVENT, "interaction_id": own, "campaign_id": campaign} for campaign in ("first", "other"))
    # One key for both: the second can't overtake the first, be they in one batch or not.
    send(stack, [(json.dumps(body).encode(), "7", NAMED) for body in (first, other, first, other)])
    eventually(lambda: stack.counted("error") >= errors + 2, what="two errors")
    assert (stack.settled(), stack.counted("error")) == (ok + 1, errors + 2)
    assert letters(stack) - before == Counter({DIFFERENT: 2})
    assert stack.sql("SELECT campaign_id FROM interactions WHERE id = %s", own) == [("first",)]
    relayed(stack)
