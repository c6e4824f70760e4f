"""Makes the record's document from what a run brought: figures, findings, verdict, series. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from alpesctl.errors import AlpesError
from alpesctl.experiments.evidence import movement
from alpesctl.experiments.faults import FaultEvent, turns
from alpesctl.experiments.latency import histogram, percentiles
from alpesctl.experiments.ledger import Ledger, Outcome
from alpesctl.experiments.model import Scenario
from alpesctl.experiments.observer import Sample
from alpesctl.experiments.proof import Evidence, Findings, prove
from alpesctl.experiments.record import capped
from alpesctl.experiments.recovery import Recovery, recoveries
from alpesctl.experiments.schedule import Punctuality, punctuality
from alpesctl.experiments.series import Samples, per_second, samples
from alpesctl.experiments.settled import Settled
from alpesctl.experiments.verdict import EXIT_CODES, Facts, Measures, judge
from alpesctl.result import plain

NUMBERS = (
    *("sent", "accepted", "refused", "in_doubt", "unsent", "counted", "excused_in_log"),
    *("published_twice", "foreign_in_topic", "foreign_in_log", "retried", "delivered_again"),
    "surplus_in_topic",
)
LISTS = (
    *("not_counted_yet", "counted_otherwise"),
    *("refused_counted", "in_doubt_counted", "in_doubt_not_counted"),
    *("not_in_topic", "not_in_log", "log_disagrees"),
)


@dataclass
class About:
    """What is known of a run from its start. `start` is the measured load's, in Unix seconds (0: not yet)."""

    scenario: Scenario
    id: str
    started: datetime
    machine: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=dict)
    start: float = 0.0
    workers_expected: int = 0


@dataclass(frozen=True)
class Carried:
    """What a run that was carried through brought. `memory`: each replica's peak, in bytes; `clock_step`: by how
    many seconds the wall clock was set meanwhile."""

    evidence: Evidence
    settled: Settled
    faults: Sequence[FaultEvent]
    sampled: Sequence[Sample]
    memory: Mapping[str, int]
    clock_step: float = 0.0


def unfinished(about: About) -> dict[str, Any]:
    """What stands on disk while the run goes on: the last word if its process is killed."""
    verdict = _verdict("unfinished", ["it is under way, or its process was killed"], 1)
    return {**_head(about), "process": os.getpid(), "verdict": verdict}


def interrupted(
    about: About, faults: Sequence[FaultEvent], ledger: Ledger, undoing: Sequence[str] = ()
) -> dict[str, Any]:
    """`undoing` says what was undone, and what could not be."""
    verdict = _verdict("interrupted", ["interrupted", *undoing], EXIT_CODES["interrupted"])
    return {**_head(about), "faults": _faults(faults, about), "load": _load(ledger, None), "verdict": verdict}


def aborted(
    about: About, error: Exception, faults: Sequence[FaultEvent], ledger: Ledger, undoing: Sequence[str] = ()
) -> dict[str, Any]:
    """An error ended it; one that is no AlpesError is a bug, and named with its kind."""
    words, code = [f"{type(error).__name__}: {error}"], 1
    if isinstance(error, AlpesError):
        words, code = [error.what, error.why], error.exit_code
    verdict = _verdict("aborted", [*words, *undoing], code)
    return {**_head(about), "faults": _faults(faults, about), "load": _load(ledger, None), "verdict": verdict}


def noted(document: Mapping[str, Any], notes: Sequence[str]) -> dict[str, Any]:
    """A finished document with reasons added; its outcome stays."""
    verdict = document["verdict"]
    return {**document, "verdict": {**verdict, "reasons": [*verdict["reasons"], *notes]}}


def finished(about: About, run: Carried) -> dict[str, Any]:
    """The whole document."""
    evidence, ledger, scenario = run.evidence, run.evidence.ledger, about.scenario
    commits = {row.id: row.committed for row in evidence.rows if row.committed is not None}
    found = samples(ledger, commits)
    findings = prove(evidence)
    kept = _punctuality(ledger) if scenario.rate else None
    limit = scenario.thresholds.recovered_latency
    names = [fault.name for _, fault in turns(scenario.faults)]
    recovered = recoveries(names, run.faults, ledger, commits, about.start, limit)
    measures = _measures(about, findings, found, ledger, recovered)
    facts = Facts(kept, run.faults, _expected(scenario), run.settled.reason, run.clock_step)
    verdict = judge(findings, measures, scenario.thresholds, scenario.expect, facts)
    return {
        **_head(about),
        "load": {
            **_load(ledger, kept),
            "accepted": len(found.answered),
            "counted": len(found.committed),
            "clock_step_seconds": round(run.clock_step, 6),
        },
        "settled": {"seconds": round(run.settled.seconds, 2), "reason": run.settled.reason},
        "measures": plain(measures),
        "histograms": {"committed": histogram(found.committed), "answered": histogram(found.answered)},
        "series": per_second(ledger, commits, about.start),
        "sampled": [_sample(sample, about.start) for sample in run.sampled],
        "faults": _faults(run.faults, about),
        "recoveries": [{**plain(each), "after_lift": each.after_lift} for each in recovered],
        "findings": _findings(findings, about.start),
        "sources": _sources(evidence),
        "memory_bytes": dict(sorted(run.memory.items())),
        "verdict": {
            **_verdict(verdict.outcome, verdict.reasons, verdict.exit_code),
            "checks": [{**plain(check), "met": check.met} for check in verdict.checks],
        },
    }


def _head(about: About) -> dict[str, Any]:
    return {
        "id": about.id,
        "name": about.scenario.name,
        "title": about.scenario.title,
        "started": about.started.isoformat(timespec="milliseconds"),
        "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "load_started": about.start or None,
        "scenario": _without_password(plain(about.scenario)),
        "versions": dict(about.versions),
        "machine": dict(about.machine),
    }


def _without_password(scenario: dict[str, Any]) -> dict[str, Any]:
    """Records are passed around; the database's password isn't."""
    readback = scenario["readback"]
    hidden = re.sub(r"://([^:/@]*):[^@/]*@", r"://\1:***@", readback["database"])
    return {**scenario, "readback": {**readback, "database": hidden}}


def _verdict(outcome: str, reasons: Sequence[str], exit_code: int) -> dict[str, Any]:
    return {"outcome": outcome, "exit_code": exit_code, "reasons": [r for r in reasons if r], "checks": []}


def _expected(scenario: Scenario) -> int:
    """How many kills, pauses and stops the scenario asks for."""
    hits = ("kill", "pause", "stop")
    return sum(fault.repeat * sum(step.action in hits for step in fault.steps) for fault in scenario.faults)


def _punctuality(ledger: Ledger) -> Punctuality:
    measured = slice(ledger.warmup, ledger.count)
    return punctuality(ledger.due[measured], ledger.sent[measured])


def _measures(
    about: About, findings: Findings, found: Samples, ledger: Ledger, recovered: Sequence[Recovery]
) -> Measures:
    counted = len(found.committed)
    drained = per_minute = None
    if counted and about.scenario.rate:
        per_minute = round(counted * 60 / max(1e-9, found.last_commit - about.start), 1)
    if counted > 1 and about.scenario.shape.held:
        drained = round(counted / max(1e-9, found.last_commit - found.first_commit), 1)
    share = None
    if findings.counted:
        enough = len(findings.workers) >= about.workers_expected
        share = 100 * min(findings.workers.values()) / findings.counted if enough else 0.0
    return Measures(
        committed=percentiles(found.committed),
        answered=percentiles(found.answered),
        accepted_percent=100 * findings.accepted / ledger.count,
        counted_per_minute=per_minute,
        drained_per_second=drained,
        worker_share_percent=share,
        recovered_within=_slowest(recovered),
    )


def _slowest(recovered: Sequence[Recovery]) -> float | None:
    """Seconds from a fault's end to its recovery, at most; None where one did not recover, or there was none."""
    times = [each.after_lift for each in recovered]
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _load(ledger: Ledger, kept: Punctuality | None) -> dict[str, Any]:
    sent = [at for at in ledger.sent[ledger.warmup :] if at]
    return {
        "events": ledger.count - ledger.warmup,
        "warmup_events": ledger.warmup,
        "sent": ledger.sent_count,
        "span_seconds": round(max(sent) - min(sent), 4) if sent else 0.0,
        "late": kept.late if kept else None,
        "worst_delay_seconds": round(kept.worst, 6) if kept else None,
        "details": _details(ledger),
    }


def _details(ledger: Ledger) -> dict[str, int]:
    """Answers other than the promise, and how often each came."""
    counts: dict[str, int] = {}
    for i in ledger.numbers(Outcome.REFUSED, Outcome.REFUSED_IF_ALONE, Outcome.IN_DOUBT):
        counts[ledger.detail(i)] = counts.get(ledger.detail(i), 0) + 1
    return dict(sorted(counts.items()))


def _faults(faults: Sequence[FaultEvent], about: About) -> list[dict[str, Any]]:
    return [
        {
            "t": round(event.at - about.start, 3),
            "seconds": round(event.done - event.at, 3),
            "action": event.action,
            "target": event.target,
            "error": event.error,
        }
        for event in sorted(faults, key=lambda event: event.at)
    ]


def _sample(sample: Sample, start: float) -> dict[str, Any]:
    return {
        "t": round(sample.at - start, 3),
        "sent": sample.sent,
        "accepted": sample.accepted,
        "in_doubt": sample.in_doubt,
        "refused": sample.refused,
        "backlog": sample.backlog,
        "counted": sample.counted,
        "waiting": sample.waiting,
    }


def _findings(findings: Findings, start: float) -> dict[str, Any]:
    lost = capped(tuple({**plain(item), "t": round(item.sent - start, 3)} for item in findings.lost))
    return {
        **{name: getattr(findings, name) for name in NUMBERS},
        "lost": lost,
        "lost_total": findings.lost_total,
        "duplicated": capped(findings.duplicated),
        "duplicated_total": findings.duplicated_total,
        "differences": plain(findings.differences),
        **{name: capped(getattr(findings, name)) for name in LISTS},
        "workers": dict(findings.workers),
        "redelivered": {w: {"messages": a, "already_counted": b} for w, (a, b) in findings.redelivered.items()},
        "redelivered_total": findings.redelivered_total,
    }


def _sources(evidence: Evidence) -> dict[str, Any]:
    """What each source held, in numbers."""
    before, after, topic = evidence.before, evidence.after, evidence.topic
    return {
        "ledger": {"events": evidence.ledger.count, "sent": evidence.ledger.sent_count},
        "rows": {"ids": len({row.id for row in evidence.rows}), "moved": _days(before.tally, after.tally)},
        "counters": {"moved": _days(before.counters, after.counters)},
        "topic": None
        if topic is None
        else {"messages": topic.messages, "ids": len(topic.ids), "seconds": round(topic.seconds, 2)},
        "access_log": None
        if evidence.log is None
        else {"requests": sum(len(e) for e in evidence.log.values()), "keys": len(evidence.log)},
    }


def _days(before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    moved = movement(before, after)
    return [{"day": day, "status": status, "number": number} for (day, status), number in moved.items()]
