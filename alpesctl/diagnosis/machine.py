"""Checks of the machine: memory, disks, ports, programs. Pure: judges facts, asks nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alpesctl.diagnosis.finding import Finding, Severity, Side
from alpesctl.errors import MachineError
from alpesctl.runtimes.base import Room
from alpesctl.runtimes.loopback import Listener
from alpesctl.runtimes.survey import Program
from alpesctl.stack.model import Service

_NO_SPACE = re.compile(r"no space left|disk (is )?full|no writable ledger|writable (ledger )?dirs", re.IGNORECASE)
_MB, _GB = 10**6, 10**9
# The broker's own bounds: at 95 % used its bookie stops writing; it says nothing before.
_FULL, _NEARLY = 0.95, 0.90
_LEAST_MEMORY = 300 * _MB


@dataclass(frozen=True)
class Ports:
    """Who is on the ports: `ours` by replica, `holders` what runtimes know of, `listeners` what the system does."""

    ours: Mapping[int, str] = field(default_factory=dict)
    holders: Mapping[int, str] = field(default_factory=dict)
    listeners: Mapping[int, Listener] = field(default_factory=dict)

    def foreign(self, port: int) -> bool:
        return port not in self.ours and (port in self.listeners or port in self.holders)

    def who(self, port: int) -> str:
        """The port and its holder: replica or container, and the process where it can be seen."""
        listener = self.listeners.get(port)
        process = str(listener) if listener and listener.pid else ""
        name = self.ours.get(port) or self.holders.get(port, "")
        if name and process:
            return f"{port} {name}, {process}"
        return f"{port} {name or process or 'another program'}"


def memory(available: int, total: int, *, needed: int | None = None) -> Finding:
    """Whether there is memory for what runs, and for a stack that is to come: `needed`, None where there is none to
    come or the compose file doesn't say. In bytes."""
    told = f"{size(available)} of {size(total)} available"
    if available < _LEAST_MEMORY:
        why = "the kernel ends programs once there is none"
        return _machine(Severity.PROBLEM, "memory", told, why, "end other programs; alpesctl status shows who takes it")
    if needed is not None and available < needed:
        why = f"the whole stack takes about {size(needed)}, by x-alpes.memory of its compose file"
        return _machine(
            Severity.WARNING, "memory", told, why, "end other programs, or bring up less: alpesctl up SERVICE"
        )
    return _machine(Severity.OK, "memory", told)


def disk(room: Room) -> Finding:
    """Whether there is room on one disk."""
    used = 1 - room.free / room.total if room.total else 1.0
    told = f"{room.what}: {size(room.free)} of {size(room.total)} free, {used:.0%} used ({room.path})"
    out = f"free space under {room.path}, or give it a larger disk; then alpesctl up"
    if used >= _FULL:
        why = "a broker writes nothing from 95 % on: sending waits, then fails; a database stops at 100 %"
        return _machine(Severity.PROBLEM, "disk", f"full: {told}", why, out)
    if used >= _NEARLY:
        return _machine(Severity.WARNING, "disk", told, "a broker stops writing at 95 %", out)
    return _machine(Severity.OK, "disk", told)


def ports(service: Service, wanted: int, found: Ports) -> Iterator[Finding]:
    """Every published port of a service: who holds it, and whether `wanted` replicas can have one each."""
    for port in service.ports:
        every = range(port.host_first, port.host_last + 1)
        ours = [n for n in every if n in found.ours]
        foreign = [n for n in every if found.foreign(n)]
        free = len(every) - len(ours) - len(foreign)
        held = "; ".join(found.who(n) for n in (*ours, *foreign))
        subject = f"port {port.host_first}" + (f"-{port.host_last}" if len(every) > 1 else "")
        rest = f"{free} free" if free and len(every) > 1 else "free" if free else ""
        told = f"{service.name}: {'; '.join(part for part in (held, rest) if part)}"
        out = "end that program, or set another port in .env"
        if foreign and len(ours) + free < wanted:
            why = f"{wanted} wanted for {service.name}, {len(ours) + free} to be had: somebody else has the rest"
            yield _machine(Severity.PROBLEM, subject, told, why, out)
        elif foreign and not (service.name and port.host_first in ours):
            yield _machine(Severity.WARNING, subject, told, "somebody else has ports of this range", out)
        else:
            yield _machine(Severity.OK, subject, told)


def program(each: Program, *, used: bool) -> Finding:
    """A program of the runtime that is `used`, or of the other one, which may lack it."""
    if each.version:
        return _machine(Severity.OK, "version", f"{each.name} {each.version}")
    if used and each.needed:
        return _machine(Severity.PROBLEM, "version", f"{each.name} is missing", each.why, each.out)
    told = f"{each.name}: {each.why}" + ("" if used else " (not needed here)")
    return _machine(Severity.OK, "version", told)


def full(rooms: Sequence[Room]) -> list[Finding]:
    """The problems among the disks."""
    return [found for room in rooms if (found := disk(room)).severity is Severity.PROBLEM]


def disk_is_full(rooms: Sequence[Room], words: str = "") -> MachineError | None:
    """The error of a disk that has no room left: of these, or of the one that the `words` of a failure speak of."""
    for found in full(rooms):
        return MachineError(f"a disk is {found.what}", why=f"{found.why}. {words}".rstrip(". "), out=found.out)
    if _NO_SPACE.search(words):
        return MachineError(
            "a disk is full",
            why=words,
            out="free space where the data lies (alpesctl doctor shows the disks), then alpesctl up",
        )
    return None


def size(amount: float) -> str:
    """Bytes for a person."""
    return f"{amount / _GB:.1f} GB" if amount >= _GB else f"{amount / _MB:.0f} MB"


def _machine(severity: Severity, subject: str, what: str, why: str = "", out: str = "") -> Finding:
    return Finding(Side.MACHINE, severity, subject, what, why, out)
