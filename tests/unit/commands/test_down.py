"""`alpesctl down` must take away what is there, and keep the data unless it is told not to."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from alpesctl.cli import application
from alpesctl.project import Project, Where
from tests.unit.commands.replicas_fake import created
from tests.unit.commands.test_bad_input import nothing_up, pytestmark

__all__ = ["nothing_up", "pytestmark"]


def left(tmp_path: Path) -> list[str]:
    """A replica that isn't started, with a volume and a wish; the wish file's folder is the project's."""
    state = created(tmp_path, "tracking_db")
    state.volume_folder("tracking_data").mkdir()
    Project(Where()).wishes.wish(replicas={"tracking": 5})
    return sorted(str(path.relative_to(state.folder)) for path in state.folder.rglob("*"))


def test_it_must_ask_before_it_destroys_data() -> None:
    done = CliRunner().invoke(application(), ["down", "--volumes"])
    assert (done.exit_code, "add --yes" in done.output) == (2, True)


def test_where_nothing_runs_it_must_say_so() -> None:
    done = CliRunner().invoke(application(), ["down"])
    assert (done.exit_code, done.stdout) == (0, "nothing to do: nothing runs\n")


def test_replicas_must_go_and_data_and_wishes_must_stay(tmp_path: Path) -> None:
    left(tmp_path)
    document = json.loads(CliRunner().invoke(application(), ["down", "--json"]).stdout)
    assert document["data"] == {"operations": ["remove tracking_db-1: the stack goes down"], "volumes": []}
    project = Project(Where())
    assert project.runtime.replicas() == []
    assert project.runtime.volumes() == ["tracking_data"]
    assert project.wishes.load().replicas == {"tracking": 5}


def test_with_volumes_nothing_must_stay(tmp_path: Path) -> None:
    left(tmp_path)
    done = CliRunner().invoke(application(), ["down", "--volumes", "--yes"])
    assert (done.exit_code, "deleted: tracking_data" in done.stdout) == (0, True)
    project = Project(Where())
    assert (project.runtime.volumes(), project.wishes.load().replicas) == ([], {})


def test_a_dry_run_must_name_what_would_go_and_leave_it(tmp_path: Path) -> None:
    before = left(tmp_path)
    done = CliRunner().invoke(application(), ["down", "--volumes", "--dry-run"])
    assert done.stdout.splitlines() == [
        "[1] remove tracking_db-1: the stack goes down",
        "delete the volume tracking_data: all data is to go",
    ]
    folder = tmp_path / "state" / "alpes-nothing-up"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == before
