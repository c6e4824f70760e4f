"""What one service sends, another understands: each producer's real message is fed to its real consumer."""

from __future__ import annotations

import json
from datetime import date

from services.affiliates.domain.commands import InteractionsInfoBuilt
from services.affiliates.handlers import Topics, handle
from services.affiliates.messages import decode as affiliates_decode
from services.tracking.adapters.decoding import decode as tracking_decode
from services.tracking.adapters.info_relay import event
from services.tracking.domain.outcomes import InfoRequest
from tests.unit.services.affiliates import test_affiliates_handlers as affiliates
from tests.unit.services.affiliates.affiliates_fakes import FakeStore
from tests.unit.services.tracking.tracking_fakes import FakeMessage

TOPICS = Topics("persistent://public/default/events.affiliates", "persistent://public/default/commands.tracking")


def asked() -> FakeMessage:
    """The affiliates service's question, as it is published."""
    store = FakeStore()
    handle(store, [affiliates.CREATE, affiliates.PUBLISH, affiliates.CALCULATE], TOPICS)
    sent = store.tables.outbox[-1]
    return FakeMessage(sent.body, dict(sent.properties), sent.key, sent.topic)


def test_tracking_understands_the_affiliates_question() -> None:
    request = tracking_decode(asked())
    assert isinstance(request, InfoRequest)
    assert (request.saga_id, request.post_id) == (affiliates.SAGA, affiliates.POST)
    assert (request.first, request.last) == (date(2026, 11, 1), date(2026, 11, 30))
    assert (request.key, request.correlation_id) == (affiliates.ANA, "walk")


def test_affiliates_understand_trackings_answer() -> None:
    request = tracking_decode(asked())
    assert isinstance(request, InfoRequest)
    counts = {"click": 10, "view": 2}
    sent = event(
        request.id,
        request.saga_id,
        request.correlation_id,
        request.key,
        request.post_id,
        request.first,
        request.last,
        12,
        counts,
    )
    message = FakeMessage(sent.body, dict(sent.properties), topic=affiliates.EVENTS)
    incoming = affiliates_decode(message, affiliates.EVENTS)
    assert incoming.command == InteractionsInfoBuilt(affiliates.SAGA, affiliates.POST, 12)
    assert incoming.correlation_id == "walk"
    payload = json.loads(sent.body)["payload"]
    assert payload == {**affiliates.DAYS, "total_interactions": 12, "by_type": counts}
