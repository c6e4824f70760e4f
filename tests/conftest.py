"""For all tests: their order, the images of those that run on an engine; in CI, a skipped test fails the run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A shell without job control starts what runs in the background with Ctrl-C ignored; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if finder := session.stash.get(_finder_key, None):
        finder.end()
    if _skipped and os.environ.get("CI"):
        print(f"\nskipped, which fails in CI: {', '.join(_skipped)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests first: they need no image, and those are made meanwhile."""
    items.sort(key=lambda item: ROOT / "tests" / "unit" not in item.path.parents)


def pytest_collection_finish(session: pytest.Session) -> None:
    callspecs = (getattr(item, "callspec", None) for item in session.items)
    if not session.config.option.collectonly and any("docker" in spec.params.values() for spec in callspecs if spec):
        log = Path(tempfile.mkdtemp(prefix="alpesctl-images-")) / "log"
        session.stash[_finder_key] = _Finder(log)


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables by which compose files find images that the engine holds: none where those are the official ones,
    else those of the stand-ins."""
    return request.session.stash[_finder_key].found()


class _Finder:
    """`tests.images` at work: it starts before the first test, in the environment of before the first test."""

    def __init__(self, log: Path) -> None:
        self._log = log
        command = [sys.executable, "-m", "tests.images"]
        with log.open("w") as said:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True
            )

    def found(self) -> dict[str, str]:
        printed, _ = self._process.communicate(timeout=1800)
        assert self._process.returncode == 0, self._log.read_text()
        variables: dict[str, str] = json.loads(printed)
        return variables

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._log.parent)


_finder_key = pytest.StashKey[_Finder]()
