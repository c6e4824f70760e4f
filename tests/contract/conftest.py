"""A small project, up on every runtime there is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alpesctl.runtimes.base import Runtime
from alpesctl.stack.load import load
from alpesctl.stack.model import Spec
from tests.contract.acting import apply_down, apply_up
from tests.contract.labs import DockerLab, Lab, LocalLab
from tests.engine import RUNTIMES
from tests.ports import free_range

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(scope="module", params=RUNTIMES)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    if request.param == "local":
        return LocalLab(tmp_path_factory.mktemp("runtime"))
    return DockerLab(request.getfixturevalue("images").get("PYTHON_IMAGE", ""))


@pytest.fixture(scope="module")
def spec(lab: Lab) -> Spec:
    environment = {"WEB_PORTS": free_range(20), **lab.environment()}
    return load(start=PROJECT, environment=environment, project_name=f"contract-{lab.name}-{os.getpid()}")


@pytest.fixture(scope="module")
def shared(lab: Lab, spec: Spec) -> Iterator[Runtime]:
    made = lab.open(spec)
    yield made
    apply_down(made, spec)


@pytest.fixture
def runtime(shared: Runtime, spec: Spec) -> Runtime:
    """The project up, as every test finds it."""
    shared.prepare(spec)
    apply_up(shared, spec)
    return shared
