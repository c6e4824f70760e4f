"""Bad input to each command must end with the right exit code and a message that a stranger can act on."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alpesctl.cli import application
from alpesctl.settings import settings

# The Docker SDK doesn't close a socket on which nobody answers.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.socket fd=.*, family=1,:ResourceWarning")

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def nothing_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The project's own stack under another name, of which nothing is up, and no engine."""
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "alpes-nothing-up")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    monkeypatch.setenv("ALPES_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("ALPES_RECORDS_DIR", str(tmp_path / "records"))
    monkeypatch.chdir(ROOT)
    settings.cache_clear()
    yield
    settings.cache_clear()
    gc.collect()


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        ("up nope", 2, "there is no service 'nope'"),
        ("logs nope", 2, "the compose file has: pulsar"),
        ("logs --json --follow", 2, "exclude each other"),
        ("scale nope=2", 2, "there is no service 'nope'"),
        ("scale tracking_worker", 2, "SERVICE=N"),
        ("scale tracking_worker=many", 2, "SERVICE=N"),
        ("scale tracking_worker=0", 2, "1 to 100 replicas"),
        ("scale tracking_worker=-1", 2, "1 to 100 replicas"),
        ("scale tracking_worker=1000", 2, "1 to 100 replicas"),
        ("scale tracking_worker=0", 2, "wait for ever"),
        ("scale tracking_worker=2 tracking_worker=3", 2, "stands twice"),
        ("scale tracking_worker=2 nope=3", 2, "there is no service 'nope'"),
        ("scale pulsar=2", 2, "publishes 1 port"),
        ("scale tracking_nginx=2", 2, "tracking_nginx=1 is the most"),
        ("scale tracking=21", 2, "publishes 20 ports"),
        ("scale tracking_setup=2", 2, "runs once"),
        ("partition set nope 3", 2, "there is no topic 'nope'"),
        ("partition set commands.tracking 0", 2, "1 to 1000"),
        ("partition set commands.tracking=0", 2, "1 to 1000"),
        ("partition set commands.tracking=-3", 2, "1 to 1000"),
        ("partition set commands.tracking=1001", 2, "1 to 1000"),
        ("partition set commands.tracking", 2, "is not TOPIC=N"),
        ("partition set commands.tracking=six", 2, "is not TOPIC=N"),
        ("partition show nope", 2, "there is no topic 'nope'"),
        ("retention show nope", 2, "declared are: commands.tracking"),
        ("retention set", 2, "--size 20G --time 7d"),
        ("retention set --size 10 --time 7d", 2, "K, M, G, T"),
        ("retention set --size 10G --time 7", 2, "s, m, h, d, w"),
        ("retention set --size 10G --inherit", 2, "either --size and --time, or --inherit"),
        ("retention set --topic nope --size 10G", 2, "there is no topic 'nope'"),
        ("retention set --size 20G --time 7d", 3, "pulsar is not up"),
        ("retention show", 3, "alpesctl up"),
        ("partition set commands.tracking 6", 3, "alpesctl up"),
        ("partition show", 3, "pulsar is not up"),
        ("stats", 3, "tracking is not up"),
        ("addresses", 3, "alpesctl up"),
        ("scenario performance", 3, "alpesctl up"),
        ("scenario performance --rate 0", 2, "above 0"),
        ("scenario performance --rate 10000000", 2, "at most 100,000"),
        ("scenario availability --requests 0", 2, "above 0"),
        ("scenario run nope", 2, "availability, drain, faults-all-workers"),
        ("report nope", 2, "no run nope"),
        ("--runtime docker up", 4, "the Docker engine does not answer"),
        ("--runtime docker down", 4, "its socket is not there"),
        ("--runtime docker plan", 4, "systemctl start docker"),
        ("--runtime docker status", 4, "--runtime local"),
        ("--runtime docker logs", 4, "apt-get install"),
        ("--runtime docker stats", 4, "the Docker engine does not answer"),
        ("--runtime docker scale tracking_worker=2", 4, "the Docker engine does not answer"),
        ("--runtime docker scenario performance", 4, "the Docker engine does not answer"),
        ("images list", 4, "the Docker engine does not answer"),
        ("images pull", 4, "the Docker engine does not answer"),
        ("images build", 4, "the Docker engine does not answer"),
        ("up --stand-ins", 2, "local processes need none"),
        ("--runtime nope status", 2, "auto, docker or local"),
        ("--file nope.yaml plan", 2, "can't be read"),
        ("--env-file nope plan", 2, "does not exist"),
        ("--project-name Ünicode plan", 2, "is no project name"),
    ],
)
def test_bad_input_must_be_named_with_a_way_out(words: str, exit_code: int, message: str) -> None:
    done = CliRunner().invoke(application(), words.split())
    assert done.exit_code == exit_code, done.output
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_failure_must_be_a_document_in_json() -> None:
    done = CliRunner().invoke(application(), ["stats", "--json"])
    document = json.loads(done.stdout)
    assert (document["ok"], document["exit_code"], document["error"]["code"]) == (False, 3, "stack-down")
    assert set(document) == {"schema_version", "command", "ok", "exit_code", "data", "error"}


def test_a_result_must_be_a_document_in_json() -> None:
    document = json.loads(CliRunner().invoke(application(), ["plan", "--json"]).stdout)
    assert set(document) == {"schema_version", "command", "ok", "exit_code", "data", "notes"}
    assert document["data"]["operations"][0] == "create pulsar-1: there is none"


def test_two_that_change_the_same_project_must_not_meet() -> None:
    from alpesctl.project import Project, Where

    with Project(Where()).locks.whole():
        done = CliRunner().invoke(application(), ["up"])
    assert done.exit_code == 4
    assert "another alpesctl is at work" in done.output


def test_a_dry_run_with_stand_ins_must_build_nothing_and_remember_nothing(tmp_path: Path) -> None:
    done = CliRunner().invoke(application(), ["up", "--stand-ins", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "create pulsar-1" in done.output
    assert not list((tmp_path / "state").glob("*/wishes.json"))
