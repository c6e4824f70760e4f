"""What is wrong with replicas, from facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from alpesctl.diagnosis import stack
from alpesctl.diagnosis.finding import Finding, Severity
from alpesctl.runtimes.base import Health, Replica, State
from alpesctl.stack.model import Service, Spec

OK, WARNING, PROBLEM = Severity
SPEC = Spec(
    "shop",
    Path("/srv"),
    (),
    {"web": Service("web", "", (), {}), "setup": Service("setup", "", (), {}, one_shot=True)},
)
SETUP = Replica("setup", 1, State.EXITED, "", exit_code=0)


def judged(*found: Replica, **wanted: int) -> list[tuple[str, Severity, str, str]]:
    causes = {replica.name: ["it hurts"] for replica in found}
    findings: list[Finding] = list(stack.replicas(found, SPEC, {"web": 1, "setup": 1, **wanted}, causes))
    return [(each.subject, each.severity, each.what, each.why) for each in findings]


def web(
    state: State = State.RUNNING, health: Health = Health.HEALTHY, restarts: int = 0, code: int | None = None
) -> Replica:
    return Replica("web", 1, state, "", health=health, restarts=restarts, exit_code=code)


def test_nothing_up_is_no_problem() -> None:
    assert judged() == [("replicas", OK, "nothing is up: alpesctl up starts it", "")]


def test_what_is_well_has_no_cause() -> None:
    assert judged(SETUP, web()) == [("setup-1", OK, "done", ""), ("web-1", OK, "healthy", "")]


@pytest.mark.parametrize(
    ("replica", "severity", "words"),
    [
        (web(health=Health.UNHEALTHY), PROBLEM, "health check fails"),
        (web(health=Health.STARTING), WARNING, "not healthy yet"),
        (web(State.RESTARTING, Health.NONE, 1), PROBLEM, "it crashes and is started again"),
        (web(health=Health.STARTING, restarts=3), PROBLEM, "it crashes and is started again"),
        (web(restarts=3), WARNING, "well now, but came back by itself 3 times"),
        (web(State.PAUSED, Health.NONE), PROBLEM, "frozen"),
        (web(State.CREATED, Health.NONE), PROBLEM, "never started"),
        (web(State.EXITED, Health.NONE, code=0), PROBLEM, "down (exit code 0)"),
        (web(State.EXITED, Health.NONE, code=137), PROBLEM, "killed, by hand or for want of memory"),
        (Replica("setup", 1, State.EXITED, "", exit_code=1), PROBLEM, "down (exit code 1)"),
        (Replica("gone", 1, State.RUNNING, ""), WARNING, "not in the compose file"),
    ],
)
def test_what_is_not_well_is_told_with_the_cause_from_its_log(replica: Replica, severity: Severity, words: str) -> None:
    subject, found, what, why = judged(replica)[0]
    assert (subject, found, why) == (replica.name, severity, "it hurts")
    assert words in what
    assert stack.needs_cause(replica, SPEC)


def test_missing_services_are_one_warning_and_missing_replicas_a_problem() -> None:
    found = judged(web(), web=2)
    assert found[1:] == [
        ("replicas", WARNING, "not up: setup", "other parts of the stack are"),
        ("web", PROBLEM, "1 of 2 replicas are there", ""),
    ]
