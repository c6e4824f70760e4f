"""The verdict must be able to fail: three planted bugs, each one line from the product, must each be caught.

The altered workers live beside this file as differences (tests/planted); they are applied to a copy of the
product's own services and workers, and run in the stack through the runtime's own operations.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alpesctl.stack.model import Mount, Service
from tests.e2e.conftest import ROOT, Stack
from tests.engine import ONE_RUNTIME
from tests.waiting import eventually

PLANTED = ROOT / "tests" / "planted"
SCENARIOS = Path(__file__).parent / "scenarios"
WORKERS = (1, 2)
PACKAGES = ("services", "workers")
SOURCES = "/srv/alpes"  # where they lie in the image, by compose/images/services.Dockerfile


@pytest.fixture(scope="module")
def pair(stack: Stack) -> Iterator[Stack]:
    """The stack with two workers, the product's own; so are those that are there afterwards."""
    stack.ok("scale", f"tracking_worker={len(WORKERS)}")
    yield stack
    stack.ok("scale", "tracking_worker=1")
    stack.ok("up")


def alter(stack: Stack, bug: str, folder: Path) -> None:
    """Put workers altered by `bug` in place of those that are there, whatever they are."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    apply = ["git", "apply", "--unidiff-zero", str(PLANTED / f"{bug}.diff")]
    subprocess.run(
        apply, cwd=folder, check=True, env={"GIT_CEILING_DIRECTORIES": str(folder.parent), "PATH": "/usr/bin:/bin"}
    )
    project = stack.project()
    altered = with_sources(stack, project.spec.services["tracking_worker"], folder)
    for number in WORKERS:
        project.runtime.stop("tracking_worker", number)
        project.runtime.remove("tracking_worker", number)
        project.runtime.create(altered, number)
        project.runtime.start("tracking_worker", number)
    eventually(
        lambda: all(str(r.health) == "healthy" for r in project.runtime.replicas(["tracking_worker"])),
        what="altered workers",
    )


def with_sources(stack: Stack, service: Service, folder: Path) -> Service:
    """The service with `services` and `workers` of this folder in place of its own."""
    if stack.runtime == "docker":
        mounts = (Mount("bind", str(folder / name), f"{SOURCES}/{name}", read_only=True) for name in PACKAGES)
        return dataclasses.replace(service, mounts=(*service.mounts, *mounts))
    # -P keeps the project's folder, where the product's own modules lie, off the path.
    return dataclasses.replace(
        service,
        command=("python", "-P", *service.command[1:]),
        environment={**service.environment, "PYTHONPATH": str(folder)},
    )


def run(stack: Stack, scenario: str) -> tuple[int, dict[str, Any]]:
    """Exit code and data of a run. A void run may be repeated once."""
    for _ in range(2):
        done = stack.run("scenario", "run", str(SCENARIOS / f"{scenario}.toml"), "--json", timeout=240)
        assert done.exit_code in (0, 1, 5), done.stdout + done.stderr
        if done.exit_code != 5:
            break
    return done.exit_code, done.data


def accepted(record: Path) -> dict[str, float]:
    """The ledger's accepted ids with the time when each was sent (Unix seconds)."""
    with gzip.open(record / "ledger.csv.gz", "rt") as file:
        return {row["id"]: float(row["sent"]) for row in csv.DictReader(file) if row["outcome"] == "accepted"}


def missing(stack: Stack, ids: dict[str, float]) -> set[str]:
    """Which of the ids have no row, asked of the database itself."""
    there = stack.sql("SELECT id::text FROM interactions WHERE id = ANY(%s::uuid[])", list(ids))
    return set(ids) - {row[0] for row in there}


def drift(stack: Stack) -> int:
    """Counters less rows, over all days, asked of the database itself."""
    return int(
        stack.sql(
            "SELECT (SELECT coalesce(sum(count), 0) FROM conversion_daily_status)"
            " - (SELECT count(*) FROM interactions) - (SELECT count(*) FROM inbox)"
        )[0][0]
    )


@pytest.mark.parametrize("diff", sorted(PLANTED.glob("*.diff")), ids=lambda path: path.stem)
def test_a_planted_bug_is_one_line_from_the_product(diff: Path) -> None:
    lines = diff.read_text().splitlines()
    assert sum(line.startswith("+") and not line.startswith("+++") for line in lines) == 1
    assert sum(line.startswith("-") and not line.startswith("---") for line in lines) == 1


@pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")
def test_the_sound_worker_must_pass_with_redeliveries(pair: Stack) -> None:
    pair.ok("up")  # not those of a test that ran before
    exit_code, data = run(pair, "gate")
    assert exit_code == 0, data["verdict"]
    assert data["findings"]["redelivered_total"] > 0


def test_a_worker_that_acknowledges_before_it_commits_must_be_caught(pair: Stack, tmp_path: Path) -> None:
    alter(pair, "acknowledges_early", tmp_path)
    exit_code, data = run(pair, "gate")
    assert exit_code == 1, data["verdict"]
    sent = accepted(Path(data["record"]))
    lost = {item["id"] for item in data["findings"]["lost"]["named"]}
    assert lost
    assert lost == missing(pair, sent)
    # They are of the killed batches: on their way while the database stood still, before the worker was killed.
    begun = float(data["load_started"])
    pauses, kills = [], []
    for event in data["faults"]:
        assert event["error"] == ""
        if event["action"] == "pause":
            pauses.append(begun + event["t"])
        elif (event["action"], event["target"]) == ("kill", "tracking_worker-1"):
            kills.append(begun + event["t"] + event["seconds"])
    pauses.sort()
    kills.sort()
    windows = []
    for before, pause, kill in zip((begun, *kills[:-1]), pauses, kills, strict=True):
        # How far behind the workers were: the others' batches, written once the database was back, say it.
        late = pair.sql("SELECT id::text FROM interactions WHERE created_at > to_timestamp(%s)", pause)
        waiting = [sent[row[0]] for row in late if before < sent.get(row[0], 0) <= pause]
        windows.append((min((pause, *waiting)) - 1.0, kill))
    assert len(windows) == 3
    assert [i for i in lost if not any(first <= sent[i] <= last for first, last in windows)] == []


def test_a_counter_raised_for_rows_that_were_there_must_be_caught(pair: Stack, tmp_path: Path) -> None:
    before = drift(pair)
    alter(pair, "counts_what_was_there", tmp_path)
    exit_code, data = run(pair, "acknowledgements-lost")
    assert exit_code == 1, data["verdict"]
    assert data["findings"]["lost"]["total"] == 0
    differences = data["findings"]["differences"]
    assert sum(item["difference"] for item in differences) == drift(pair) - before > 0
    assert {item["status"] for item in differences} == {"ok"}
    assert all(item["day"].count("-") == 2 for item in differences)


def test_one_message_in_ten_thousand_dropped_must_be_caught(pair: Stack, tmp_path: Path) -> None:
    alter(pair, "drops_one_in_ten_thousand", tmp_path)
    exit_code, data = run(pair, "kills")
    assert exit_code == 1, data["verdict"]
    lost = {item["id"] for item in data["findings"]["lost"]["named"]}
    assert 1 <= len(lost) <= 5
    assert lost == missing(pair, accepted(Path(data["record"])))
