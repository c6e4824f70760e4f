"""What outweighs what in a verdict."""

from dataclasses import replace

import pytest

from alpesctl.experiments.faults import FaultEvent
from alpesctl.experiments.model import Expect, Thresholds
from alpesctl.experiments.proof import Difference, Findings, Lost
from alpesctl.experiments.schedule import Punctuality
from alpesctl.experiments.verdict import Facts, Measures, judge

CLEAN = Findings(sent=100, accepted=100, refused=0, in_doubt=0, unsent=0, counted=100)
LOST = replace(CLEAN, lost=(Lost("x", "accepted", 1.0, True, None),))
TWICE = replace(CLEAN, differences=(Difference("2026-11-24", "ok", 3),))
MEASURES = Measures({"p50": 0.01, "p99": 0.1, "max": 0.2}, {"p99": 0.05}, 100.0, 80_001.0, None, 20.0)
LIMITS = Thresholds(accepted_percent=100.0, latency_p99=2.0, counted_per_minute=80_000)
KILL = FaultEvent(1.0, 1.1, "kill", "worker-2")
FACTS = Facts(Punctuality(100, 0, 0.01, 60.0), (KILL,), 1)
LATE = replace(FACTS, punctuality=Punctuality(100, 2, 0.9, 60.0))
SLOW = replace(MEASURES, committed={"p99": 3.0})


def test_passed() -> None:
    verdict = judge(CLEAN, MEASURES, LIMITS, Expect(), FACTS)
    assert (verdict.outcome, verdict.exit_code, verdict.reasons) == ("passed", 0, ())
    assert all(check.met for check in verdict.checks)


@pytest.mark.parametrize(
    ("findings", "measures", "facts", "expect", "outcome", "code", "reason"),
    [
        (LOST, MEASURES, FACTS, Expect(), "failed", 1, "1 lost"),
        (TWICE, MEASURES, FACTS, Expect(), "failed", 1, "3 counted twice"),
        (LOST, MEASURES, LATE, Expect(), "failed", 1, "1 lost"),
        (LOST, MEASURES, replace(FACTS, faults=()), Expect(), "failed", 1, "1 lost"),
        (CLEAN, SLOW, FACTS, Expect(), "failed", 1, "due → committed, p99"),
        (CLEAN, SLOW, LATE, Expect(), "void", 5, "the load was not what it claims"),
        (CLEAN, MEASURES, LATE, Expect(), "void", 5, "the load was not what it claims"),
        (CLEAN, MEASURES, replace(FACTS, faults=()), Expect(), "void", 5, "only 0 of 1 faults happened"),
        (CLEAN, MEASURES, FACTS, Expect(retried=1), "void", 5, "0 sent to a second upstream"),
        (CLEAN, MEASURES, FACTS, Expect(redelivered=1), "void", 5, "0 redelivered"),
        (replace(CLEAN, not_in_topic=("x",)), MEASURES, LATE, Expect(), "failed", 1, "not in the topic"),
        (replace(CLEAN, refused_counted=("x",)), MEASURES, FACTS, Expect(), "failed", 1, "refused"),
        (
            CLEAN,
            MEASURES,
            replace(FACTS, unsettled="not settled after 9 s"),
            Expect(),
            "failed",
            1,
            "not settled",
        ),
        (CLEAN, replace(MEASURES, counted_per_minute=None), FACTS, Expect(), "failed", 1, "nothing measured"),
    ],
)
def test_precedence(
    findings: Findings, measures: Measures, facts: Facts, expect: Expect, outcome: str, code: int, reason: str
) -> None:
    verdict = judge(findings, measures, LIMITS, expect, facts)
    assert (verdict.outcome, verdict.exit_code) == (outcome, code)
    assert reason in verdict.reasons[0]


def test_a_fault_with_an_error_is_void_and_says_why() -> None:
    facts = replace(FACTS, faults=(replace(KILL, error="there is no worker-2"),))
    verdict = judge(CLEAN, MEASURES, LIMITS, Expect(), facts)
    assert verdict.outcome == "void"
    assert "kill worker-2: there is no worker-2" in verdict.reasons[0]


def test_a_tolerated_loss_passes() -> None:
    assert judge(LOST, MEASURES, replace(LIMITS, lost=1), Expect(), FACTS).outcome == "passed"


def test_every_reason_is_given() -> None:
    verdict = judge(LOST, SLOW, LIMITS, Expect(), LATE)
    assert len(verdict.reasons) == 3


def test_what_had_not_settled_has_failed_and_is_not_called_lost() -> None:
    waiting = replace(CLEAN, counted=97, not_counted_yet=("a", "b", "c"))
    verdict = judge(waiting, MEASURES, LIMITS, Expect(), replace(LATE, unsettled="not settled after 9 s: 3 left"))
    assert (verdict.outcome, verdict.exit_code) == ("failed", 1)
    assert verdict.reasons[:2] == ("not settled after 9 s: 3 left", "3 not counted yet")
    assert not any("lost" in reason for reason in verdict.reasons)


def test_what_had_not_settled_comes_before_what_is_lost() -> None:
    verdict = judge(LOST, MEASURES, LIMITS, Expect(), replace(FACTS, unsettled="not settled after 9 s"))
    assert verdict.reasons == ("not settled after 9 s", "1 lost")


@pytest.mark.parametrize(("step", "outcome"), [(0.04, "passed"), (-0.04, "passed"), (0.06, "void"), (-3.0, "void")])
def test_a_wall_clock_that_was_set_makes_it_void(step: float, outcome: str) -> None:
    verdict = judge(CLEAN, MEASURES, LIMITS, Expect(), replace(FACTS, clock_step=step))
    assert verdict.outcome == outcome
    if outcome == "void":
        assert f"the wall clock was set by {step:+.3f} s" in verdict.reasons[0]
