"""Carries a scenario out: shape, hold, warm-up, load with faults, settle, read back, judge, record.

The one entry is `run_scenario`. What it finds out is compared in `proof`, judged in `verdict`, both pure.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from alpesctl.errors import AlpesError, StackDownError, UsageError
from alpesctl.experiments import document, record
from alpesctl.experiments.bench import Bench, check_faults, check_up, workers_expected
from alpesctl.experiments.evidence import LogEntry, Row, Snapshot, TopicRead, parse_access_log
from alpesctl.experiments.faults import UNDO, FaultRunner, downtimes
from alpesctl.experiments.generator import Clock, Generator, Stretch, run_together
from alpesctl.experiments.http_load import HttpLoad
from alpesctl.experiments.layout import Layout
from alpesctl.experiments.ledger import Ledger
from alpesctl.experiments.model import REJECTED, Load, Scenario, Step
from alpesctl.experiments.observer import Observer, Silent
from alpesctl.experiments.proof import Evidence
from alpesctl.experiments.pulsar_load import PulsarLoad
from alpesctl.experiments.readback import Database
from alpesctl.experiments.sampler import Sampler
from alpesctl.experiments.schedule import Schedule
from alpesctl.experiments.settled import Settled, wait_settled
from alpesctl.experiments.shaping import PutBack, held, shaped
from alpesctl.experiments.surroundings import machine, versions
from alpesctl.experiments.topic import Hold, reread, sweep

LEAD = 0.25  # seconds from deciding to start the measured load to its first event
FAULT_MARGIN = 30.0  # seconds that the faults' timeline may take beyond its own times
LOG_SLACK = 1.0  # seconds around a downtime in which the access log may lack a request


def run_scenario(scenario: Scenario, bench: Bench, observer: Observer | None = None) -> record.Record:
    """Carry it out and record it. Ctrl-C undoes faults and shape and gives a record that says interrupted.

    Raises StackDownError where the stack isn't up, UsageError where the scenario doesn't fit it.
    """
    check_up(scenario, bench)
    return _Run(scenario, bench, observer or Silent()).carry_out()


class _Run:
    def __init__(self, scenario: Scenario, bench: Bench, observer: Observer) -> None:
        self.scenario = scenario
        self.bench = bench
        self.observer = observer
        self.clock = Clock()
        self.started = datetime.now(UTC)
        self.directory = record.new_directory(bench.root, scenario.name, self.started)
        self.about = document.About(scenario, self.directory.name, self.started, machine())
        self.about.workers_expected = workers_expected(scenario, bench.spec)
        self._client_log = self.directory / "pulsar-client.log"
        self._undoing = _Undoing()
        self._put_back = PutBack()
        self._delivered: int | None = None
        self._rows: list[Row] = []
        self._verdict: record.Record | None = None  # once it is written, it stays
        self.layout = Layout(scenario.loads)
        self.ledger = Ledger(self.layout.count, self.layout.warmup_count)
        self.database = Database(bench.address(scenario.readback.database), scenario.readback)
        self.runner = FaultRunner(
            bench.runtime, scenario.faults, self._observe, self.clock.now, bench.journal, observer.fault
        )
        self.sampler = Sampler(
            self.ledger, self._backlog, self.database.counted, self.clock.now, observer.sample, self._memory
        )

    def carry_out(self) -> record.Record:
        self.observer.begin(self.scenario, self.directory.name)
        self._write(document.unfinished(self.about))
        try:
            with self._undoing, ExitStack() as stack:
                try:
                    self._carry_out(stack)
                finally:
                    self._undoing.begin()
            return self._noted(self._undone(failed_only=True))
        except KeyboardInterrupt:
            with self._undoing:
                self._undoing.begin()
                if self._verdict is not None:
                    return self._noted(["interrupted after the verdict", *self._undone(failed_only=True)])
                self._save_events()
                undone = self._undone()
                return self._write(document.interrupted(self.about, self.runner.events, self.ledger, undone))
        except Exception as error:
            if self._verdict is not None:
                note = error.what if isinstance(error, AlpesError) else f"{type(error).__name__}: {error}"
                kept = self._noted([f"after the verdict: {note}", *self._undone(failed_only=True)])
                if isinstance(error, AlpesError):
                    return kept
                raise
            self._save_events()
            undone = self._undone(failed_only=True)
            self._write(document.aborted(self.about, error, self.runner.events, self.ledger, undone))
            if isinstance(error, AlpesError):
                error.why = "; ".join(part for part in (error.why, *undone) if part)
            raise
        finally:
            self.observer.end()

    def _noted(self, notes: list[str]) -> record.Record:
        """The verdict's record with what came after it; neither outcome nor exit code change."""
        assert self._verdict is not None
        if notes:
            self._verdict = self._write(document.noted(self._verdict.document, notes))
        return self._verdict

    def _undone(self, *, failed_only: bool = False) -> list[str]:
        """What became of faults and shape, in words."""
        done = [f"{event.action} {event.target}" for event in self.runner.undone] + self._put_back.done
        failed = [f"not put back: {what}" for what in self._put_back.failed]
        if self.runner.left:
            failed.insert(0, f"still down by a fault: {', '.join(self.runner.left)}")
        if failed_only:
            return failed
        if not done and not failed:
            return ["there was nothing to undo"]
        return [*([f"undone: {', '.join(done)}"] if done else []), *failed]

    def _carry_out(self, stack: ExitStack) -> None:
        readback = self.scenario.readback
        shape = shaped(self.scenario.shape, self.bench, self.observer, self._put_back, self._undoing.begin)
        stack.enter_context(shape)
        check_faults(self.scenario, self.bench)
        self._settle_before()
        runtime, admin = self.bench.runtime, self.bench.admin
        self.about.versions = versions(self.scenario, runtime, admin, self.database.version)
        sweep(admin, readback.topic, self.bench.root)
        hold = Hold(admin, readback.topic, self.directory.name)
        stack.callback(hold.release)
        before = self.database.snapshot()
        self.sampler.base = sum(before.counters.values())
        delivered = self._messages_out()
        stack.callback(self.sampler.stop)
        stack.callback(self.runner.undo)
        self._load()
        self.observer.phase("settling", "until nothing is under way")
        self.runner.finish(max(0.0, self.about.start + self.runner.longest() - self.clock.now()) + FAULT_MARGIN)
        settled = wait_settled(self._under_way, readback.settle_timeout)
        self.sampler.stop()
        self.observer.phase("reading back", "rows, counters, topic, access log")
        after = self._messages_out()
        # A broker that was restarted counts from 0 again; less says so where no fault of ours does.
        if delivered is not None and after is not None and after >= delivered and not self._broker_was_down():
            self._delivered = after - delivered
        self._verdict = self._judge(before, settled, hold)

    def _load(self) -> None:
        undoing = self._undoing
        shape = held(self.scenario.shape, self.bench, self.observer, self._put_back, undoing.begin, undoing.resume)
        with shape, ExitStack() as open_:
            generators: list[PulsarLoad | HttpLoad] = []
            for load in self.scenario.loads:
                generators.append(self._generator(load))
                open_.enter_context(generators[-1])
            try:
                self.sampler.start()
                self._warm_up(generators)
                self._measured(generators)
            except BaseException:
                self._undoing.begin()
                raise

    def _warm_up(self, generators: Sequence[Generator]) -> None:
        loads = self.scenario.loads
        if not self.layout.warmup_count:
            return
        self.observer.phase("warming up", f"{self.layout.warmup_count:,} events, reconciled, not measured")
        start = self.clock.now()
        self.sampler.due_end = start + max(load.warmup_duration for load in loads)
        schedules = [Schedule(start, load.warmup_rate, load.warmup_count) for load in loads]
        run_together(generators, self._stretches(schedules, measured=False))

    def _measured(self, generators: Sequence[Generator]) -> None:
        loads = self.scenario.loads
        self.observer.phase("load", f"{self.scenario.count:,} events")
        self.about.start = start = self.clock.now() + LEAD
        self.sampler.due_end = start + self.scenario.duration if self.scenario.rate else 0.0
        self.runner.start(start)
        schedules = [Schedule(start, load.rate, load.count) for load in loads]
        run_together(generators, self._stretches(schedules, measured=True))
        self.ledger.close(self.clock.now())

    def _stretches(self, schedules: Sequence[Schedule], *, measured: bool) -> list[Stretch]:
        return [
            Stretch(self.ledger, self.layout.first(number, measured=measured), schedule, self.clock)
            for number, schedule in enumerate(schedules)
        ]

    def _generator(self, load: Load) -> PulsarLoad | HttpLoad:
        if load.kind == "http":
            return HttpLoad(self.bench.address(load.target)(), load)
        return PulsarLoad(self.bench.broker(), self.bench.topic(load.target), load, self._client_log)

    def _judge(self, before: Snapshot, settled: Settled, hold: Hold) -> record.Record:
        ledger, readback = self.ledger, self.scenario.readback
        topic: TopicRead = reread(self.bench.broker(), hold.everything(), readback, self._client_log)
        rows, after = self.database.rows_and_snapshot([ledger.id(i) for i in range(ledger.count)])
        log: dict[bytes, list[LogEntry]] | None = None
        gaps: list[tuple[float, float]] = []
        if readback.access_log is not None:
            since = self.started - timedelta(seconds=1)
            lines = self.bench.runtime.logs([readback.access_log.service], since=since)
            log = parse_access_log((line.text for line in lines), readback.access_log)
            gaps = downtimes(self.runner.events, readback.access_log.service)
        evidence = Evidence(
            ledger=ledger,
            rows=rows,
            before=before,
            after=after,
            topic=topic,
            log=log,
            accepted=tuple(code for load in self.scenario.loads for code in load.accepted),
            over_http=lambda i: self.layout.load_of(i).kind == "http",
            must_be_rejected=lambda i: self.layout.load_of(i).counted_as == REJECTED,
            delivered=self._delivered,
            settled=not settled.reason,
            excused=lambda i: any(
                ledger.sent[i] < end + LOG_SLACK and ledger.answered[i] > begun - LOG_SLACK for begun, end in gaps
            ),
        )
        self._rows = rows
        record.write_events(self.directory, ledger, rows)
        usage, step = self.sampler.usage, self.clock.stepped()
        run = document.Carried(evidence, settled, self.runner.events, self.sampler.samples, usage, step)
        return self._write(document.finished(self.about, run))

    def _settle_before(self) -> None:
        self.observer.phase("settling", "what was there before")
        self._check_subscription()
        settled = wait_settled(self._under_way, self.scenario.readback.settle_timeout, poll=0.2)
        if settled.reason:
            raise StackDownError(
                "the stack has work left over from before",
                why=settled.reason,
                out="alpesctl status; are workers up?",
            )

    def _check_subscription(self) -> None:
        readback = self.scenario.readback
        try:
            stats = self.bench.admin.stats(readback.topic)
        except StackDownError:  # it may be on its way back: that is waited for next
            return
        if stats.whole and readback.subscription not in stats.subscriptions:
            there = ", ".join(sorted(stats.subscriptions)) or "none"
            raise UsageError(
                f"{readback.topic} has no subscription {readback.subscription!r}",
                why=f"subscriptions of it: {there}",
                out=f"mend readback.subscription in {self.scenario.source}, or alpesctl up",
            )

    def _under_way(self) -> dict[str, int]:
        return {"in the backlog": self._backlog(), **self.database.pending()}

    def _backlog(self) -> int:
        readback = self.scenario.readback
        return self.bench.admin.stats(readback.topic).backlog(readback.subscription)

    def _observe(self, step: Step) -> int:
        readback = self.scenario.readback
        own = self.bench.admin.stats(readback.topic).subscriptions.get(readback.subscription)
        return 0 if own is None else int(getattr(own, step.condition))

    def _messages_out(self) -> int | None:
        """How many messages the broker has delivered to the workers; None where a partition's count is missing."""
        readback = self.scenario.readback
        try:
            stats = self.bench.admin.stats(readback.topic)
            stats.backlog(readback.subscription)
        except AlpesError:  # no figure is better than one that is too small
            return None
        return stats.subscriptions[readback.subscription].messages_out

    def _broker_was_down(self) -> bool:
        broker = self.bench.spec.pulsar
        return broker is not None and any(
            event.service == broker.service and UNDO.get(event.action) == "restart" for event in self.runner.events
        )

    def _memory(self) -> dict[str, int]:
        replicas = self.bench.runtime.replicas(with_usage=True, with_health=False)
        return {r.name: r.memory_bytes for r in replicas if r.memory_bytes is not None}

    def _save_events(self) -> None:
        self.ledger.close(self.clock.now())
        record.write_events(self.directory, self.ledger, self._rows)

    def _write(self, content: dict[str, Any]) -> record.Record:
        return record.write(self.directory, content)


class _Undoing:
    """Inside, SIGTERM is as Ctrl-C; once begun, both wait: what was started must be undone first."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> _Undoing:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.getsignal(number) for number in self.SIGNALS}
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        return self

    def begin(self) -> None:
        for number in self._previous:
            signal.signal(number, signal.SIG_IGN)

    def resume(self) -> None:
        """Nothing is being undone any more: the run goes on, as after entering."""
        for number, handler in self._previous.items():
            signal.signal(number, signal.default_int_handler if number == signal.SIGTERM else handler)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
