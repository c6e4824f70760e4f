"""What each runtime finds on this machine: programs, room for data, what was left behind. Reads, changes nothing.

Unlike a runtime, a survey is to be had while an engine is away or the compose file can't be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alpesctl.runtimes.base import Room
from alpesctl.settings import Settings
from alpesctl.stack.model import Spec


@dataclass(frozen=True)
class Program:
    """A program that a runtime needs, or may use; `version` is "" where it isn't there, and `why` says more."""

    name: str
    version: str
    why: str = ""
    out: str = ""
    needed: bool = True


@dataclass(frozen=True)
class Leftover:
    """Something that is there, and of no use any more."""

    what: str
    why: str
    out: str


@dataclass(frozen=True)
class Survey:
    """One runtime on this machine. `holders` maps a port to what of the runtime holds it, whosever it is;
    `left_on` one to what is left of the project there; `replicas` is how many the project has, running or not."""

    programs: tuple[Program, ...] = ()
    rooms: tuple[Room, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    holders: Mapping[int, str] = field(default_factory=dict)
    left_on: Mapping[int, str] = field(default_factory=dict)
    replicas: int = 0


def survey_all(spec: Spec | None, options: Settings) -> dict[str, Survey]:
    """Every runtime's survey, by the runtime's name; without a spec, of the machine alone."""
    from alpesctl.runtimes.docker.survey import survey as on_docker
    from alpesctl.runtimes.local.survey import survey as on_local

    return {"local": on_local(spec, options), "docker": on_docker(spec)}
