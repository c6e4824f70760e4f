"""A run from end to end on paper: what stands in its record, whatever happens to it and when."""

import csv
import gzip
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alpesctl.errors import AlpesError, StackDownError, UsageError
from alpesctl.experiments import engine, record
from alpesctl.experiments.evidence import Row, Snapshot, TopicRead
from alpesctl.experiments.generator import Stretch
from alpesctl.experiments.ledger import Outcome
from alpesctl.experiments.model import Event, Fault, Load, Readback, Scenario, Shape, Step
from alpesctl.journal import Journal
from alpesctl.pulsar_admin import SubscriptionStats, TopicStats
from tests.unit.experiments.test_faults import Stage
from tests.waiting import eventually

COUNT = 20
DAY = ("2026-11-24", "ok")
SCENARIO = Scenario(
    name="paper",
    title="",
    loads=(Load("pulsar", "open", "t", 1000.0, COUNT, (Event({"id": "{id}"}),)),),
    readback=Readback("postgresql://a:b@db:5432/a", "t", "s", "rows", "tally", "counters", settle_timeout=1.0),
)
OWN = SubscriptionStats("s", "Key_Shared", 0, 0, 0.0, {}, messages_out=5, seen_in=1)
STATS = TopicStats("t", 0, 0, 0.0, 0, {}, {"s": OWN}, answered=1)


class World:
    """The stack on paper; each attribute may be replaced to let a part of it fail."""

    def __init__(self, root: Path) -> None:
        self.stage = Stage(("w", 1), ("v", 1))
        self.scales: list[tuple[str, int]] = []
        self.stats: Callable[[], TopicStats] = lambda: STATS
        self.scale: Callable[[str, int], None] = lambda *_: None
        self.sending: Callable[[], None] = lambda: None
        self.reading: Callable[[], None] = lambda: None
        self.held_back = 0  # how many of the last events have no row
        self.sent: list[bytes] = []
        self.bench: Any = SimpleNamespace(
            runtime=self.stage,
            spec=SimpleNamespace(pulsar=None),
            admin=SimpleNamespace(stats=lambda _: self.stats()),
            shaper=SimpleNamespace(scale=self._scale, settle_consumers=lambda: None),
            root=root,
            journal=Journal(root / "faults.json"),
            address=lambda url: lambda: url,
            broker=lambda: "",
            topic=lambda name: name,
        )

    def _scale(self, service: str, replicas: int) -> None:
        self.scales.append((service, replicas))
        self.scale(service, replicas)

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def run(self, stretch: Stretch) -> None:
        for number in range(stretch.schedule.count):
            due = stretch.schedule.due(number)
            stretch.ledger.send(number, due, due)
            stretch.ledger.answer(number, Outcome.ACCEPTED, due + 0.001)
            self.sent.append(stretch.ledger.id(number))
        self.sending()

    def snapshot(self) -> Snapshot:
        counted = len(self.sent) - self.held_back if self.sent else 0
        return Snapshot({DAY: counted}, {DAY: counted})

    def rows_and_snapshot(self, ids: list[bytes]) -> tuple[list[Row], Snapshot]:
        return [Row(i, None, "w-1") for i in ids[: COUNT - self.held_back]], self.snapshot()

    def pending(self) -> dict[str, int]:
        return {}

    def counted(self) -> int:
        return 0

    def version(self) -> str:
        return ""

    def reread(self, *_: object) -> TopicRead:
        self.reading()
        return TopicRead(dict.fromkeys(self.sent, 1), len(self.sent), 0, 0.1)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    for name in ("check_up", "check_faults", "sweep"):
        monkeypatch.setattr(engine, name, lambda *_: None)
    monkeypatch.setattr(engine, "versions", lambda *_: {})
    monkeypatch.setattr(engine, "Hold", lambda *_: SimpleNamespace(everything=dict, release=lambda: None))
    monkeypatch.setattr(engine, "reread", made.reread)
    monkeypatch.setattr(engine, "Database", lambda *_: made)
    monkeypatch.setattr(engine, "PulsarLoad", lambda *_: made)
    return made


def run(world: World, **changes: Any) -> record.Record:
    return engine.run_scenario(replace(SCENARIO, **changes), world.bench)


def stored(world: World) -> record.Record:
    return record.find_record(world.bench.root)


def lines(world: World, name: str) -> list[list[str]]:
    with gzip.open(stored(world).directory / name, "rt") as file:
        return list(csv.reader(file))[1:]


def fail_on_one(_service: str, replicas: int) -> None:
    if replicas == 1:
        raise StackDownError("it does not become healthy", why="no memory")


def test_a_run_that_passes(world: World) -> None:
    done = run(world)
    assert (done.outcome, done.document["verdict"]["reasons"]) == ("passed", [])
    assert abs(done.document["load"]["clock_step_seconds"]) < 0.05
    assert len(lines(world, "counted.csv.gz")) == COUNT


def test_the_verdict_stays_though_the_shape_can_not_be_put_back(world: World) -> None:
    world.scale = fail_on_one
    done = run(world, shape=Shape(replicas={"w": 2, "v": 2}))
    assert done.document == stored(world).document
    assert (done.outcome, done.exit_code) == ("passed", 0)
    assert [reason.partition(":")[0] for reason in done.document["verdict"]["reasons"]] == ["not put back"] * 2
    assert world.scales == [("w", 2), ("v", 2), ("w", 1), ("v", 1)]
    assert len(lines(world, "counted.csv.gz")) == COUNT


def test_a_loss_stays_first(world: World) -> None:
    world.scale, world.held_back = fail_on_one, 2
    done = run(world, shape=Shape(replicas={"w": 2}))
    reasons = done.document["verdict"]["reasons"]
    assert (done.outcome, done.exit_code, reasons[0]) == ("failed", 1, "2 lost")
    assert reasons[-1] == "not put back: w to 1 replicas: it does not become healthy no memory"


def test_a_backlog_that_is_unknown_is_not_settled_and_nothing_is_called_lost(world: World) -> None:
    def lose_sight() -> None:
        world.stats = lambda: replace(STATS, answered=0)

    world.sending, world.held_back = lose_sight, 3
    done = run(world)
    findings, reasons = done.document["findings"], done.document["verdict"]["reasons"]
    assert (done.outcome, findings["lost_total"], findings["not_counted_yet"]["total"]) == ("failed", 0, 3)
    assert reasons[0].startswith("not settled after")
    assert "0 of 1 partitions" in reasons[0]
    assert findings["delivered_again"] is None


def test_a_subscription_that_there_is_not_is_named_at_once(world: World) -> None:
    world.stats = lambda: replace(STATS, subscriptions={"other": OWN})
    with pytest.raises(UsageError, match="t has no subscription 's'"):
        run(world)
    assert stored(world).outcome == "aborted"


def test_a_bug_leaves_an_aborted_record_and_the_ledger(world: World) -> None:
    def stumble() -> None:
        raise KeyError("a bug")

    world.sending = stumble
    with pytest.raises(KeyError):
        run(world)
    left = stored(world)
    assert (left.outcome, left.exit_code) == ("aborted", 1)
    assert left.document["verdict"]["reasons"] == ["KeyError: 'a bug'"]
    assert len(lines(world, "ledger.csv.gz")) == COUNT


def test_an_abort_tells_what_was_not_put_back_too(world: World) -> None:
    def stumble() -> None:
        raise AlpesError("the broker is gone", why="so it is")

    world.sending, world.scale = stumble, fail_on_one
    with pytest.raises(AlpesError, match="the broker is gone") as caught:
        run(world, shape=Shape(replicas={"w": 2}))
    reasons = stored(world).document["verdict"]["reasons"]
    assert reasons[:2] == ["the broker is gone", "so it is"]
    assert reasons[2].startswith("not put back: w to 1 replicas")
    assert "not put back: w to 1 replicas" in caught.value.why


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupted_run_says_what_was_undone(world: World) -> None:
    world.sending = interrupt
    done = run(world, shape=Shape(replicas={"w": 2}))
    assert (done.outcome, done.exit_code) == ("interrupted", 130)
    assert done.document["verdict"]["reasons"] == ["interrupted", "undone: w to 1 replicas"]


def test_an_interrupted_run_says_what_could_not_be_undone(world: World) -> None:
    world.sending, world.scale = interrupt, fail_on_one
    reasons = run(world, shape=Shape(replicas={"w": 2})).document["verdict"]["reasons"]
    why = "it does not become healthy no memory"
    assert reasons == ["interrupted", f"not put back: w to 1 replicas: {why}"]


def test_an_interrupted_run_that_changed_nothing_says_so(world: World) -> None:
    world.sending = interrupt
    assert run(world).document["verdict"]["reasons"] == ["interrupted", "there was nothing to undo"]


def test_a_fault_that_was_lifted_is_named_and_one_that_was_not(world: World) -> None:
    def wait() -> None:
        eventually(lambda: len(world.stage.calls) == 2, what="both faults")
        interrupt()

    def start(service: str, number: int) -> None:
        raise AlpesError("it does not start")

    world.sending, world.stage.start = wait, start  # type: ignore[method-assign]
    done = run(world, faults=(Fault(0.0, (Step("pause", "v"), Step("kill", "w"))),))
    reasons = done.document["verdict"]["reasons"]
    assert reasons == ["interrupted", "undone: unpause v-1", "still down by a fault: w-1"]


def test_an_interruption_while_it_is_put_back_does_not_touch_the_verdict(world: World) -> None:
    world.scale = lambda _, replicas: interrupt() if replicas == 1 else None
    done = run(world, shape=Shape(replicas={"w": 2}))
    assert (done.outcome, done.document["verdict"]["reasons"]) == ("passed", [])


def test_a_bug_after_the_verdict_is_noted_and_raised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def release() -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(engine, "Hold", lambda *_: SimpleNamespace(everything=dict, release=release))
    with pytest.raises(KeyError):
        run(world)
    left = stored(world)
    assert (left.outcome, left.document["verdict"]["reasons"]) == ("passed", ["after the verdict: KeyError: 'a bug'"])
    assert len(lines(world, "counted.csv.gz")) == COUNT


def test_a_second_ctrl_c_does_not_stop_the_putting_back(world: World) -> None:
    def scale(_service: str, replicas: int) -> None:
        interrupt()  # the first while it is shaped, the others while it is put back

    world.scale = scale
    done = run(world, shape=Shape(replicas={"w": 2, "v": 2}))
    assert done.outcome == "interrupted"
    assert world.scales == [("w", 2), ("w", 1), ("v", 1)]


def test_faults_are_awaited_to_the_timelines_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later turns come after the load; none of them may be cut off."""
    monkeypatch.setattr(engine, "FAULT_MARGIN", 0.5)
    faults = (Fault(0.0, (Step("kill", "w", restart_after=0.1),), repeat=4, every=0.4),)
    done = run(world, faults=faults)
    assert done.outcome == "passed", done.document["verdict"]
    assert [call[0] for call in world.stage.calls] == ["kill", "start"] * 4


def test_a_wall_clock_that_was_set_under_way_is_recorded_and_makes_it_void(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    world.sending = lambda: monkeypatch.setattr(time, "time", lambda: real() + 1.5)
    done = run(world)
    assert done.outcome == "void"
    assert done.document["load"]["clock_step_seconds"] == pytest.approx(1.5, abs=0.01)


def test_an_error_after_the_reading_back_keeps_the_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(engine.document, "finished", stumble)
    with pytest.raises(KeyError):
        run(world)
    assert stored(world).outcome == "aborted"
    assert len(lines(world, "counted.csv.gz")) == COUNT


@pytest.mark.parametrize(("broker", "again"), [("w", None), ("v", 3)])
def test_deliveries_of_a_broker_that_was_killed_are_unknown(world: World, broker: str, again: int | None) -> None:
    """It counts them from 0 again, and may have come further than before."""
    world.bench.spec.pulsar = SimpleNamespace(service=broker, topics=())
    sent = replace(STATS, subscriptions={"s": replace(OWN, messages_out=OWN.messages_out + COUNT + 3)})
    world.sending = lambda: setattr(world, "stats", lambda: sent)
    done = run(world, faults=(Fault(0.0, (Step("kill", "w", restart_after=0.1),)),))
    assert done.document["findings"]["delivered_again"] == again
