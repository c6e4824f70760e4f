"""`alpesctl images` must show what the engine has, and say what a pull and a build would make."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from alpesctl.cli import application
from alpesctl.runtimes.docker import library
from tests.unit.commands.test_bad_input import nothing_up, pytestmark
from tests.unit.runtimes.docker.engine_fake import Engine

__all__ = ["nothing_up", "pytestmark"]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that has the database's image."""
    made = Engine(there=("postgres:18",))
    monkeypatch.setattr(library, "connect", made.client)
    return made


def document(*words: str) -> dict[str, list[dict[str, object]]]:
    done = CliRunner().invoke(application(), [*words, "--json"])
    assert done.exit_code == 0, done.output
    data: dict[str, list[dict[str, object]]] = json.loads(done.stdout)["data"]
    return data


@pytest.mark.usefixtures("engine")
def test_a_list_must_say_which_images_are_there_and_who_uses_them() -> None:
    images = {each["name"]: each for each in document("images", "list")["images"]}
    assert images["postgres:18"]["id"] == "sha256:postgres:18"
    assert images["postgres:18"]["services"] == ["tracking_db", "affiliates_db"]
    assert images["apachepulsar/pulsar:4.0.8"]["id"] is None
    assert {each["origin"] for each in images.values()} == {"pulled", "built"}
    shown = CliRunner().invoke(application(), ["images", "list"]).stdout
    assert "not there" in shown


def test_a_dry_pull_must_name_what_is_not_built_here_and_pull_nothing(engine: Engine) -> None:
    assert document("images", "pull", "--dry-run")["operations"] == [
        "pull apachepulsar/pulsar:4.0.8",
        "pull postgres:18",
        "pull nginx:1.31",
    ]
    assert set(engine.there) == {"postgres:18"}


def test_a_dry_build_must_name_each_stand_in_and_build_nothing(engine: Engine) -> None:
    operations = document("images", "build", "--dry-run")["operations"]
    assert "build alpespartners/stand-in-pulsar:4.0.8: a stand-in" in operations
    assert "build alpespartners/services:0.1.0-stand-in: the compose file says how" in operations
    assert engine.built == []


def test_a_pull_must_end_with_what_is_there_then(engine: Engine) -> None:
    images = {each["name"]: each for each in document("images", "pull")["images"]}
    assert images["apachepulsar/pulsar:4.0.8"]["id"] == "sha256:pulled"
    assert "alpespartners/services:0.1.0" not in engine.there
