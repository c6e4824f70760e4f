"""What is wrong with topics and subscriptions, from facts."""

from __future__ import annotations

from alpesctl.diagnosis.broker import Broker, topics
from alpesctl.diagnosis.finding import Finding, Severity
from alpesctl.pulsar_admin import SubscriptionStats, TopicStats
from alpesctl.stack.model import Pulsar, Topic

OK, WARNING, PROBLEM = Severity
ORDERS = Topic("orders", 1, "shop", consumers=("worker",))
DEAD = Topic("orders-DLQ", 1, "dead")


def stats(
    name: str = "orders", subscription: str = "shop", backlog: int = 0, consumers: tuple[str, ...] = ("w1",)
) -> TopicStats:
    full = f"persistent://public/default/{name}-partition-0"
    own = SubscriptionStats(subscription, "Key_Shared", backlog, 0, 0.0, {full: consumers}, seen_in=1)
    return TopicStats(name, 1, 0, 0.0, 0, {}, {subscription: own} if subscription else {}, answered=1)


def judged(broker: Broker, *declared: Topic) -> list[Finding]:
    return list(topics(Pulsar("pulsar", 6650, 8080, "public/default", declared), broker))


def one(broker: Broker, *declared: Topic) -> Finding:
    (finding,) = judged(broker, *declared)
    return finding


def test_a_read_subscription_is_well() -> None:
    found = one(Broker({"orders": stats(backlog=5)}), ORDERS)
    assert (found.severity, found.what) == (OK, "shop: backlog 5, 1 consumers")


def test_a_backlog_that_nobody_reads_is_a_problem_with_the_service_that_should() -> None:
    found = one(Broker({"orders": stats(backlog=5, consumers=())}), ORDERS)
    assert (found.severity, found.why) == (PROBLEM, "no consumer of worker is connected")


def test_an_empty_subscription_that_nobody_reads_is_well() -> None:
    assert one(Broker({"orders": stats(consumers=())}), ORDERS).severity is OK


def test_a_strangers_subscription_that_fills_up_is_a_warning() -> None:
    found = judged(Broker({"orders": stats(subscription="old", backlog=9, consumers=())}), ORDERS)
    assert [(each.severity, each.what) for each in found] == [
        (PROBLEM, "the subscription shop is not there"),
        (WARNING, "old: backlog 9, 0 consumers"),
    ]
    assert "create-subscription -s shop" in found[0].out


def test_a_topic_that_is_not_there_is_a_problem() -> None:
    assert (one(Broker({}), ORDERS).severity, one(Broker({}), ORDERS).out) == (PROBLEM, "alpesctl up")
    (found,) = topics(Pulsar("pulsar", 6650, 8080, "public/default", (ORDERS,)), Broker({}), partial=True)
    assert found.severity is WARNING


def test_dead_letters_that_wait_are_a_warning_with_the_way_to_read_them() -> None:
    found = one(Broker({"orders-DLQ": stats("orders-DLQ", "dead", 3, ())}), DEAD)
    assert (found.severity, found.what) == (WARNING, "dead: 3 wait, and nobody reads them")
    assert "peek-messages -n 5 -s dead persistent://public/default/orders-DLQ-partition-0" in found.out
    assert one(Broker({"orders-DLQ": stats("orders-DLQ", "dead", 0, ())}), DEAD).severity is OK


def test_only_what_is_named_as_one_must_be_taken_for_a_dead_letter_topic() -> None:
    audit = Topic("audit", 1, "archive")
    found = one(Broker({"audit": stats("audit", "archive", 3, ())}), audit)
    assert (found.severity, found.what) == (WARNING, "archive: backlog 3, 0 consumers")
    assert (found.why, "consumers, in x-alpes.pulsar.topics" in found.out) == ("nobody is connected", True)
    assert one(Broker({"audit": stats("audit", "archive", 3)}), audit).severity is OK


def test_dead_letters_that_somebody_reads_are_well() -> None:
    found = one(Broker({"orders-DLQ": stats("orders-DLQ", "dead", 3, ("clerk",))}), DEAD)
    assert (found.severity, found.what) == (OK, "dead: backlog 3, 1 consumers")


def test_a_backlog_must_be_laid_to_every_service_that_should_read_it() -> None:
    topic = Topic("orders", 1, "shop", consumers=("till", "web"))
    found = one(Broker({"orders": stats(backlog=5, consumers=())}), topic)
    assert (found.why, found.out) == ("no consumer of till or web is connected", "alpesctl up; alpesctl logs till web")
    broker = Broker({"orders": stats(backlog=10)}, later={("orders", "shop"): 900}, seconds=1.0)
    assert one(broker, topic).out == "alpesctl scale till=N web=N; alpesctl stats --watch"


def test_a_dead_letter_topic_without_a_subscription_is_a_problem() -> None:
    found = one(Broker({}, others=[stats("mail-DLQ", "")]))
    assert (found.severity, found.subject) == (PROBLEM, "topic mail-DLQ")
    assert "create-subscription" in found.out
    assert judged(Broker({}, others=[stats("mail-DLQ", "any")])) == []


def test_a_backlog_that_grows_is_a_warning_with_its_rate() -> None:
    def grown(later: int) -> Finding:
        return one(Broker({"orders": stats(backlog=1000)}, later={("orders", "shop"): later}, seconds=2.0), ORDERS)

    assert (grown(2000).severity, "growing by 500 a second" in grown(2000).what) == (WARNING, True)
    assert [grown(later).severity for later in (900, 1000, 1050)] == [OK, OK, OK]


def test_a_partition_without_a_consumer_is_a_warning() -> None:
    first = "persistent://public/default/orders-partition-0"
    own = SubscriptionStats("shop", "Key_Shared", 0, 0, 0.0, {first: ("w1",), first[:-1] + "1": ()}, seen_in=2)
    found = one(Broker({"orders": TopicStats("orders", 2, 0, 0.0, 0, {}, {"shop": own}, answered=2)}), ORDERS)
    assert (found.severity, found.why) == (WARNING, "without one: orders-partition-1")


def test_partitions_that_fail_are_a_problem() -> None:
    broken = TopicStats("orders", 2, 0, 0.0, 0, {}, {}, answered=1)
    assert one(Broker({"orders": broken}), ORDERS).why == "it gave figures for 1 of 2"


def test_a_dead_runs_hold_is_a_warning_with_the_words_that_end_it() -> None:
    found = judged(Broker({"orders": stats()}, dead_holds={"alpes-run-7": "orders"}), ORDERS)
    assert [each.severity for each in found] == [OK, WARNING]
    assert "unsubscribe -f -s alpes-run-7 persistent://public/default/orders" in found[1].out


def test_a_topic_that_no_subscription_holds_may_be_without_partitions() -> None:
    unused = TopicStats("told", 2, 0, 0.0, 0, {}, {}, answered=0)
    assert judged(Broker({"told": unused}), Topic("told", 2, "")) == []
