"""The verdict: passed, failed or void, with its reasons. Pure.

What is lost or counted twice outweighs void; void outweighs a missed threshold. A run that did not settle has
failed, whatever else it is: what was still under way may be lost as well as not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alpesctl.experiments.faults import FaultEvent
from alpesctl.experiments.model import Expect, Thresholds
from alpesctl.experiments.proof import Findings
from alpesctl.experiments.schedule import LATE, LATE_SHARE, Punctuality

CLOCK_STEP = 0.05  # seconds by which the wall clock may leave the run's own; more, and latencies mean nothing
EXIT_CODES = {"passed": 0, "failed": 1, "void": 5, "interrupted": 130}


@dataclass(frozen=True)
class Check:
    """One threshold: what was asked for, what was measured. `unit` is "", "s", "%", "/min" or "/s"."""

    name: str
    limit: float
    measured: float | None
    at_least: bool
    unit: str = ""

    @property
    def met(self) -> bool:
        if self.measured is None:
            return False
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass(frozen=True)
class Measures:
    """What was measured, None where nothing was. Latencies by percentile name, in seconds; rates as named."""

    committed: Mapping[str, float]
    answered: Mapping[str, float]
    accepted_percent: float
    counted_per_minute: float | None
    drained_per_second: float | None
    worker_share_percent: float | None
    recovered_within: float | None = None  # seconds


@dataclass(frozen=True)
class Facts:
    """How the run itself went. `unsettled` is the reason in words, empty once settled; `clock_step` is by how many
    seconds the wall clock was set meanwhile."""

    punctuality: Punctuality | None  # None for a burst, which has no schedule
    faults: Sequence[FaultEvent]
    faults_expected: int
    unsettled: str = ""
    clock_step: float = 0.0


@dataclass(frozen=True)
class Verdict:
    outcome: str
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.outcome]


def judge(findings: Findings, measures: Measures, thresholds: Thresholds, expect: Expect, facts: Facts) -> Verdict:
    """The verdict on a run that was carried through."""
    checks = _checks(findings, measures, thresholds)
    broken = _broken(findings, thresholds)
    void = _void(findings, expect, facts)
    missed = [_missed(check) for check in checks if not check.met and check.name not in ("lost", "counted twice")]
    if facts.unsettled:
        open_ = findings.not_counted_yet
        first = [facts.unsettled, *([f"{len(open_):,} not counted yet"] if open_ else [])]
        return Verdict("failed", tuple(first + broken + missed + void), checks)
    if broken:
        return Verdict("failed", tuple(broken + missed + void), checks)
    if void:
        return Verdict("void", tuple(void + missed), checks)
    if missed:
        return Verdict("failed", tuple(missed), checks)
    return Verdict("passed", (), checks)


def _broken(findings: Findings, thresholds: Thresholds) -> list[str]:
    reasons = []
    if findings.lost_total > thresholds.lost:
        reasons.append(f"{findings.lost_total:,} lost")
    if findings.duplicated_total > thresholds.duplicated:
        reasons.append(f"{findings.duplicated_total:,} counted twice")
    for ids, words in (
        (findings.counted_otherwise, "counted as ok and must be rejected, or the other way round"),
        (findings.refused_counted, "refused, and published or counted all the same"),
        (findings.not_in_topic, "accepted or counted, and not in the topic"),
        (findings.not_in_log, "accepted, and not in the access log"),
        (findings.log_disagrees, "accepted, and the access log says otherwise"),
    ):
        if ids:
            reasons.append(f"{len(ids):,} {words}")
    return reasons


def _void(findings: Findings, expect: Expect, facts: Facts) -> list[str]:
    reasons = []
    kept = facts.punctuality
    if kept is not None and not kept.kept:
        share = 100 * kept.late / kept.events
        limit = f"more than {100 * LATE_SHARE:g} % were sent over {LATE:g} s late, or never"
        reasons.append(f"the load was not what it claims: {share:.1f} % of {kept.events:,} events; {limit}")
    if abs(facts.clock_step) > CLOCK_STEP:
        by = f"{facts.clock_step:+.3f} s, over {CLOCK_STEP:g} s"
        reasons.append(f"the wall clock was set by {by}: due times and commits are not on one clock")
    for event in facts.faults:
        if event.error:
            reasons.append(f"the fault did not happen: {event.action} {event.target}: {event.error}")
    done = sum(event.action in ("kill", "pause", "stop") for event in facts.faults)
    if done < facts.faults_expected:
        reasons.append(f"only {done} of {facts.faults_expected} faults happened")
    if findings.redelivered_total < expect.redelivered:
        reasons.append(f"{findings.redelivered_total} redelivered, expected at least {expect.redelivered}")
    if findings.retried < expect.retried:
        reasons.append(f"{findings.retried} sent to a second upstream, expected at least {expect.retried}")
    return reasons


def _checks(findings: Findings, measures: Measures, limits: Thresholds) -> tuple[Check, ...]:
    share = measures.worker_share_percent
    candidates: list[tuple[str, float | None, float | None, bool, str]] = [
        ("lost", limits.lost, findings.lost_total, False, ""),
        ("counted twice", limits.duplicated, findings.duplicated_total, False, ""),
        ("accepted", limits.accepted_percent, measures.accepted_percent, True, "%"),
        ("due → committed, p50", limits.latency_p50, measures.committed.get("p50"), False, "s"),
        ("due → committed, p99", limits.latency_p99, measures.committed.get("p99"), False, "s"),
        ("due → committed, max", limits.latency_max, measures.committed.get("max"), False, "s"),
        ("due → answered, p99", limits.answer_p99, measures.answered.get("p99"), False, "s"),
        ("counted", limits.counted_per_minute, measures.counted_per_minute, True, "/min"),
        ("drained", limits.drained_per_second, measures.drained_per_second, True, "/s"),
        ("recovered after a fault", limits.recovered_within, measures.recovered_within, False, "s"),
        ("smallest share of a worker", limits.worker_share_percent, share, True, "%"),
    ]
    return tuple(
        Check(name, limit, measured, at_least, unit)
        for name, limit, measured, at_least, unit in candidates
        if limit is not None
    )


def _missed(check: Check) -> str:
    measured = "nothing measured" if check.measured is None else f"{check.measured:,.4g}{check.unit}"
    bound = "at least" if check.at_least else "at most"
    return f"{check.name}: {measured}, {bound} {check.limit:,.6g}{check.unit} wanted"
