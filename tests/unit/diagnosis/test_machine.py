"""What is wrong with a machine, from facts."""

from __future__ import annotations

import pytest

from alpesctl.diagnosis import machine
from alpesctl.diagnosis.finding import Finding, Severity, Side, exit_code
from alpesctl.diagnosis.machine import Ports
from alpesctl.runtimes.base import Room
from alpesctl.runtimes.loopback import Listener
from alpesctl.runtimes.survey import Program
from alpesctl.stack.model import Port, Service

OK, WARNING, PROBLEM = Severity
GB = 10**9


def web(first: int, last: int) -> Service:
    return Service("web", "", (), {}, ports=(Port(80, first, last),))


def judged(found: Ports, *, first: int = 8010, last: int = 8012, wanted: int = 2) -> Finding:
    (finding,) = machine.ports(web(first, last), wanted, found)
    return finding


@pytest.mark.parametrize(
    ("available", "needed", "severity"),
    [(10 * GB, 2 * GB, OK), (1 * GB, None, OK), (1 * GB, 2 * GB, WARNING), (GB // 5, None, PROBLEM)],
)
def test_memory(available: int, needed: int | None, severity: Severity) -> None:
    assert machine.memory(available, 16 * GB, needed=needed).severity is severity


def test_what_a_stack_takes_must_be_what_its_own_file_says() -> None:
    assert "about 3.0 GB" in machine.memory(1 * GB, 16 * GB, needed=3 * GB).why


@pytest.mark.parametrize(("free", "severity"), [(50, OK), (11, OK), (9, WARNING), (5, PROBLEM), (0, PROBLEM)])
def test_a_disk_is_full_where_the_broker_stops_to_write(free: int, severity: Severity) -> None:
    found = machine.disk(Room("data", "/data", 100, free))
    assert found.severity is severity
    assert ("full" in found.what, "/data" in found.out) == (severity is PROBLEM, severity is not OK)


def test_a_disk_of_no_size_is_full() -> None:
    assert machine.disk(Room("data", "/data", 0, 0)).severity is PROBLEM


def test_a_free_port_is_well_and_so_is_our_own() -> None:
    assert judged(Ports(), first=80, last=80).what == "web: free"
    held = Ports(ours={8010: "web-1"}, listeners={8010: Listener(7, "python")})
    assert (judged(held).severity, judged(held).what) == (OK, "web: 8010 web-1, python (process 7); 2 free")


def test_a_strangers_port_is_named_with_its_holder() -> None:
    found = judged(Ports(listeners={80: Listener(7, "caddy")}), first=80, last=80, wanted=1)
    assert (found.severity, found.side, found.what) == (PROBLEM, Side.MACHINE, "web: 80 caddy (process 7)")
    assert ".env" in found.out


def test_a_port_of_another_projects_container_is_named_with_the_container() -> None:
    found = judged(Ports(holders={80: "the container shop-web-1"}), first=80, last=80, wanted=1)
    assert (found.severity, found.what) == (PROBLEM, "web: 80 the container shop-web-1")


def test_a_holder_that_may_not_be_seen_is_another_program() -> None:
    found = judged(Ports(listeners={80: Listener(None, "")}), first=80, last=80, wanted=1)
    assert found.what == "web: 80 another program"


def test_a_range_with_room_enough_left_is_a_warning_only() -> None:
    stranger = Ports(listeners={8010: Listener(7, "caddy")})
    assert judged(stranger).severity is WARNING
    assert judged(stranger, wanted=3).severity is PROBLEM


def test_a_missing_program_is_a_problem_only_where_it_is_used_and_needed() -> None:
    java = Program("Java", "", "no Java 17 or newer", "install one")
    assert machine.program(java, used=True).severity is PROBLEM
    assert machine.program(java, used=False).severity is OK
    assert machine.program(Program("Compose plugin", "", "", needed=False), used=True).severity is OK


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], 0),
        ([(Side.STACK, WARNING), (Side.MACHINE, WARNING)], 0),
        ([(Side.STACK, PROBLEM), (Side.MACHINE, WARNING)], 3),
        ([(Side.STACK, PROBLEM), (Side.MACHINE, PROBLEM)], 4),
    ],
)
def test_the_exit_code_tells_whose_problem_it_is(found: list[tuple[Side, Severity]], code: int) -> None:
    assert exit_code([Finding(side, severity, "", "") for side, severity in found]) == code


def test_a_full_disk_is_an_error_that_names_it_and_what_failed_for_it() -> None:
    roomy, tight = Room("a", "/a", 100, 50), Room("b", "/b", 100, 1)
    assert machine.disk_is_full([roomy]) is None
    assert machine.disk_is_full([roomy], "web failed: KeyError") is None
    found = machine.disk_is_full([roomy, tight], "web failed: KeyError")
    assert found is not None
    assert (found.exit_code, "/b" in found.out, "KeyError" in found.why) == (4, True, True)


@pytest.mark.parametrize("words", ["java.io.IOException: No space left on device", "No writable ledger dirs below"])
def test_a_failure_that_speaks_of_a_full_disk_is_believed(words: str) -> None:
    found = machine.disk_is_full([], words)
    assert found is not None
    assert (found.why, "doctor" in found.out) == (words, True)
