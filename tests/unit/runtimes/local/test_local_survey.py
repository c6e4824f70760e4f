"""What the local runtime looks for on a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from alpesctl.runtimes.local.survey import survey
from alpesctl.settings import Settings
from alpesctl.stack.model import Service, Spec

ALL = ["Java", "Apache Pulsar", "PostgreSQL", "nginx", "supervisor"]


@pytest.mark.parametrize(
    ("recipes", "names"),
    [
        (None, ALL),
        (("pulsar", "postgres", "nginx", ""), ALL),
        (("", ""), ["supervisor"]),
        (("postgres", ""), ["PostgreSQL", "supervisor"]),
    ],
)
def test_only_programs_that_the_stack_uses_must_be_looked_for(
    tmp_path: Path, recipes: tuple[str, ...] | None, names: list[str]
) -> None:
    services = {
        f"s{number}": Service(f"s{number}", "", (), {}, recipe=each) for number, each in enumerate(recipes or ())
    }
    spec = Spec("p", tmp_path, (), services) if recipes is not None else None
    found = survey(spec, Settings(cache_dir=tmp_path, state_dir=tmp_path))
    assert [program.name for program in found.programs] == names
