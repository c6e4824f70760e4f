"""What an event says is in no log: neither ours, nor nginx's, nor the broker's, nor the database's."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid

from tests.e2e.conftest import EVENT, Stack
from tests.e2e.test_poison import relayed, send
from tests.poison import NAMED
from tests.waiting import eventually


def test_no_log_must_hold_anything_of_a_body_and_each_refusal_must_be_found_by_its_correlation_id(stack: Stack) -> None:
    stack.settled()
    errors, marker, correlation, own = (
        stack.counted("error"),
        f"mark{uuid.uuid4().hex}",
        f"c-{uuid.uuid4()}",
        str(uuid.uuid4()),
    )
    good = {**EVENT, "interaction_id": own, "campaign_id": marker}
    posted = [
        good,
        {**good, "target_element_id": marker},  # the same id, another body
        {**EVENT, "interaction_type": marker},
        {**EVENT, "timestamp": marker},
        {**EVENT, "campaign_id": [marker]},
        {**EVENT, marker: marker, "amount": 1},
        {**EVENT, "interaction_id": marker},
        f"{{{marker}".encode(),
        f'["{marker}"]'.encode(),
    ]
    statuses = [stack.post(body, X_Correlation_ID=correlation)[0] for body in posted]
    assert statuses[0] == 201
    assert set(statuses[2:]) == {400}
    _batch(stack, [good, {**EVENT, "currency": marker}, marker])
    bad = [{**good, "target_element_type": marker}, {**EVENT, "interaction_id": marker}, {marker: marker}]
    named = {**NAMED, "correlationId": correlation, "commandId": own}
    send(
        stack,
        [
            *((json.dumps(body).encode(), "7", named) for body in bad),
            (marker.encode(), "7", named),
            (marker.encode(), "7", {}),
        ],
    )
    eventually(lambda: stack.counted("error") >= errors + 4, what="the bad ones counted")
    relayed(stack)
    lines = [line.text for line in stack.project().runtime.logs([])]
    assert [text for text in lines if marker in text] == []
    found = [json.loads(text) for text in lines if correlation in text and text.startswith("{")]
    assert {"request refused", "dead letter"} <= {line.get("event") for line in found}
    assert {line.get("interaction_id") for line in found if line.get("event") == "dead letter"} == {own}
    # nginx's own line of each request, too.
    assert len([line for line in found if "upstreams" in line]) == len(posted)


def _batch(stack: Stack, events: list[object]) -> None:
    url = stack.url("tracking_nginx", 8040, "/tracking/interactions/batch")
    request = urllib.request.Request(url, json.dumps(events).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=15) as answer:
        assert len(json.load(answer)["results"]) == len(events)
