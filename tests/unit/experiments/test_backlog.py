"""A backlog that Pulsar does not tell is unknown, not 0."""

from typing import Any

import pytest

from alpesctl.errors import StackDownError
from alpesctl.pulsar_admin import PulsarAdmin, TopicStats

FULL = "persistent://public/default/t"


def part(backlog: int | None) -> dict[str, Any]:
    return {"subscriptions": {} if backlog is None else {"s": {"msgBacklog": backlog, "msgOutCounter": 5}}}


def stats(count: int, parts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> TopicStats:
    admin = PulsarAdmin("http://x")
    answer = {"partitions": parts} if count else parts[FULL]
    monkeypatch.setattr(admin, "partitions", lambda _: count)
    monkeypatch.setattr(admin, "_call", lambda *_: answer)
    return admin.stats("t")


def test_all_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stats(2, {f"{FULL}-partition-{i}": part(i) for i in range(2)}, monkeypatch)
    assert (found.whole, found.backlog("s")) == (True, 1)


def test_no_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stats(0, {FULL: part(7)}, monkeypatch)
    assert (found.whole, found.backlog("s")) == (True, 7)


@pytest.mark.parametrize(
    ("parts", "whole", "what"),
    [
        ({f"{FULL}-partition-0": part(0)}, False, "1 of 2 partitions"),
        ({FULL: {"subscriptions": {}}}, False, "0 of 2 partitions"),  # what it answers when none can be asked
        ({FULL: {}}, False, "0 of 2 partitions"),
        ({}, False, "0 of 2 partitions"),
        ({f"{FULL}-partition-0": part(0), f"{FULL}-partition-1": part(None)}, True, "s is in 1 of 2"),
        ({f"{FULL}-partition-{i}": part(None) for i in range(2)}, True, "s is in 0 of 2"),
    ],
)
def test_what_is_left_out_is_unknown(
    parts: dict[str, Any], whole: bool, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = stats(2, parts, monkeypatch)
    assert found.whole is whole
    with pytest.raises(StackDownError, match=what):
        found.backlog("s")
