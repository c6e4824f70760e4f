"""For all tests: their order, the images of those that run on an engine; in CI, a skipped test fails the run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[1]

# Units run beside what needs a stack: how long an example takes to be made says nothing.
hypothesis.settings.register_profile("beside", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("beside")

# A shell without job control starts what runs in the background with Ctrl-C ignored; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


BESIDE = ("tests/unit/", "tests/contract/", "tests/e2e/test_upgrade.py", "tests/e2e/test_second_stack.py")


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """All that shares a stack goes to one process, one after the other; the rest runs beside it, a file at a time, and
    what waits for images last."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return f"{file} {_on_docker(nodeid)}" if nodeid.startswith(BESIDE) else "stack"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    config.option.loadscopereorder = False  # they are in order
    return _Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if finder := session.config.stash.get(_finder_key, None):
        finder.end()
    if _skipped and os.environ.get("CI"):
        print(f"\nskipped, which fails in CI: {', '.join(_skipped)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs no image first, those are made meanwhile: units, and what both runtimes must do, on the local one.
    Where there are two processes, what shares a stack comes before all, and takes one of them to the end."""
    by_two = hasattr(config, "workerinput")

    def place(item: pytest.Item) -> tuple[bool, ...]:
        shares = by_two and not item.nodeid.startswith(BESIDE)
        return (not shares, not _is_unit(item), _on_docker(item.nodeid), not _is_under(item, "contract"))

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    if not hasattr(config, "workerinput"):
        _find_images(config, [item.nodeid for item in session.items], _folder(config))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """In the process that has the others: its session ends last, and the images' folder with it."""
    if _finder_key not in node.config.stash:
        _find_images(node.config, ids, _folder_of(node.workerinput["testrunuid"]))


def _find_images(config: pytest.Config, ids: list[str], folder: Path) -> None:
    if not config.option.collectonly and any(map(_on_docker, ids)):
        config.stash[_finder_key] = _Finder(folder)


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables by which compose files find images that the engine holds: none where those are the official ones,
    else those of the stand-ins."""
    folder = _folder(request.config)
    found = folder / FOUND
    eventually(found.exists, within=1800.0, what=f"images; {folder / LOG} says what is done")
    text = found.read_text()
    assert text, (folder / LOG).read_text()
    variables: dict[str, str] = json.loads(text)
    return variables


def _is_under(item: pytest.Item, folder: str) -> bool:
    return ROOT / "tests" / folder in item.path.parents


def _is_unit(item: pytest.Item) -> bool:
    return _is_under(item, "unit")


def _on_docker(nodeid: str) -> bool:
    """Whether one of its parameters is this runtime."""
    return "docker" in re.split(r"[][-]", nodeid.partition("::")[2])


def _folder(config: pytest.Config) -> Path:
    """Where this run's images are told of: the same for all its processes."""
    return _folder_of(getattr(config, "workerinput", {}).get("testrunuid", os.getpid()))


def _folder_of(run: object) -> Path:
    return Path(tempfile.gettempdir()) / f"alpesctl-images-{run}"


class _Finder:
    """`tests.images` at work: it starts before the first test, in the environment of before the first test."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._folder = folder
        command = [sys.executable, "-m", "tests.images", str(folder / FOUND)]
        with (folder / LOG).open("w") as said:
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)


FOUND, LOG = "found.json", "log"
_finder_key = pytest.StashKey[_Finder]()
