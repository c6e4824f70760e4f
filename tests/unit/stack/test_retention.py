"""What people write is what Pulsar gets, and what it would refuse is named before it is asked."""

from __future__ import annotations

import re

import pytest

from alpesctl.errors import ComposeError, UsageError
from alpesctl.stack import retention
from alpesctl.stack.extension import load_pulsar
from alpesctl.stack.model import NAMESPACE, Service
from alpesctl.stack.retention import BacklogQuota, Retention


@pytest.mark.parametrize(
    ("text", "megabytes"),
    [("-1", -1), ("0", 0), ("1M", 1), ("10G", 10_240), ("10g", 10_240), ("1T", 1_048_576), ("2048K", 2)],
)
def test_a_size_is_binary_megabytes(text: str, megabytes: int) -> None:
    assert retention.size(text) == (megabytes, "")


@pytest.mark.parametrize(
    ("text", "minutes"), [("-1", -1), ("0", 0), ("120s", 2), ("5m", 5), ("3h", 180), ("7d", 10_080), ("1w", 10_080)]
)
def test_a_time_is_minutes(text: str, minutes: int) -> None:
    assert retention.time(text) == (minutes, "")


def test_what_pulsar_cannot_count_is_rounded_up_with_a_word() -> None:
    assert retention.size("1500K") == (2, "1500K is rounded up to 2M: Pulsar counts in whole megabytes")
    assert retention.time("90s") == (2, "90s is rounded up to 2m: Pulsar counts in whole minutes")


@pytest.mark.parametrize("text", ["10", "-2", "10X", "G", "", "1.5G", "10 G", "ten"])
def test_no_size_names_the_units(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        retention.size(text)
    assert "K, M, G, T, as in 10G; -1 is without limit" in str(caught.value)
    assert ("it has no unit" in str(caught.value)) == text.lstrip("-").isdigit()


@pytest.mark.parametrize("text", ["7", "7y", "7M7", "-1d"])
def test_no_time_names_the_units(text: str) -> None:
    with pytest.raises(UsageError, match="s, m, h, d, w, as in 7d"):
        retention.time(text)


def test_more_than_pulsar_can_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="2,147,483,647 minutes"):
        retention.time("2000000000h")


@pytest.mark.parametrize("limits", [(0, 10), (10, 0), (0, -1), (-1, 0)])
def test_one_limit_of_0_needs_the_other(limits: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="of 0 goes only with"):
        retention.require_sound(Retention(*limits))


@pytest.mark.parametrize("limits", [(0, 0), (-1, -1), (10, 10), (-1, 5)])
def test_limits_that_agree_are_sound(limits: tuple[int, int]) -> None:
    assert retention.require_sound(Retention(*limits)) == Retention(*limits)


@pytest.mark.parametrize(
    ("limits", "quota", "kind"),
    [
        ((10_240, 60), (10 << 30, -1), "size of 10G"),
        ((100, -1), (10 << 30, -1), "size of 100M"),
        ((-1, 60), (-1, 3600), "time of 1h"),
        ((20_480, 60), (10 << 30, 3600), "time of 1h"),
    ],
)
def test_retention_must_exceed_the_backlog_quota(limits: tuple[int, int], quota: tuple[int, int], kind: str) -> None:
    with pytest.raises(UsageError, match=kind) as caught:
        retention.require_above_quota(Retention(*limits), BacklogQuota(*quota, "producer_request_hold"))
    assert "retention must exceed the backlog quota" in str(caught.value)


@pytest.mark.parametrize(
    ("limits", "quota"),
    [((-1, -1), (10 << 30, 3600)), ((0, 0), (10 << 30, 3600)), ((10_241, 61), (10 << 30, 3600)), ((1, 1), (-1, -1))],
)
def test_what_exceeds_the_quota_or_has_no_limit_is_allowed(limits: tuple[int, int], quota: tuple[int, int]) -> None:
    retention.require_above_quota(Retention(*limits), BacklogQuota(*quota, "producer_request_hold"))


def test_it_is_shown_as_it_is_written() -> None:
    assert str(Retention(20_480, 10_080)) == "size 20G, time 7d"
    assert str(Retention(-1, 90)) == "size unlimited, time 90m"
    assert str(Retention(0, 0)) == "size 0, time 0"
    assert str(BacklogQuota(10 << 30, 3600, "producer_exception")) == "10G, 1h (producer_exception)"
    assert str(BacklogQuota(-1, -1, "producer_exception")) == "none"


BROKER = {"pulsar": Service("pulsar", "pulsar", (), {})}


def test_a_compose_file_may_declare_it_for_the_namespace_and_for_a_topic() -> None:
    declared = {
        "service": "pulsar",
        "retention": {"size": "20G", "time": "7d"},
        "topics": [{"name": "orders", "retention": {"size": -1, "time": -1}}, {"name": "others"}],
    }
    found = load_pulsar(declared, BROKER)
    assert found is not None
    assert found.retentions == {NAMESPACE: Retention(20_480, 10_080), "orders": Retention(-1, -1)}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"size": "20G", "time": "7"}, "x-alpes.pulsar.retention: '7' is no time"),
        ({"size": "20G"}, "x-alpes.pulsar.retention: '' is no time"),
        ({"size": 0, "time": "7d"}, "a size of 0 goes only with a time of 0"),
        ({"sizes": "20G"}, "did you mean size"),
    ],
)
def test_one_that_makes_no_sense_is_named_with_its_path(declared: dict[str, object], message: str) -> None:
    with pytest.raises(ComposeError, match=re.escape(message)) as caught:
        load_pulsar({"service": "pulsar", "retention": declared}, BROKER)
    assert "x-alpes.pulsar.retention" in str(caught.value)
