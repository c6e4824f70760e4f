"""Builds the stack's stand-ins: images under our own name, for a machine whose engine reaches no registry."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import docker
from docker.utils import parse_repository_tag

from alpesctl.errors import ComposeError, MachineError
from alpesctl.runtimes.base import Report, Step
from alpesctl.runtimes.docker import debian, images
from alpesctl.runtimes.docker.engine import at_the_edge
from alpesctl.stack.model import StandIn, StandIns

INPUTS = "alpesctl.inputs"
"""The label with a hash of what a stand-in was made from."""

_LOCK = "requirements.txt"
_FROM = re.compile(r"^FROM\s+(?:--\S+\s+)*(?P<base>\S+)(?:\s+AS\s+(?P<stage>\S+))?", re.MULTILINE | re.IGNORECASE)
# How a Dockerfile names the packages that it takes from the lock: as the beginning of a line there.
_PACKAGE = re.compile(r"\^([A-Za-z0-9._-]+)==")
_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@at_the_edge
def build_stand_ins(
    api: docker.APIClient,
    stand_ins: StandIns,
    directory: Path,
    cache_dir: Path,
    report: Report | None = None,
    *,
    force: bool = False,
) -> tuple[str, ...]:
    """Build what of the stand-ins is missing or was made from something else (`force`: all, anew), in order; returns
    the names of what was built.

    `directory` is the project's: its lock is in every context. Nothing half-made remains after a failure."""
    made: list[str] = []
    for stand_in in stand_ins.images:
        wanted = _inputs(api, stand_in, directory)
        if not force and images.labels_of(api, stand_in.image).get(INPUTS) == wanted:
            continue
        if stand_in.debootstrap:
            _import_debian(api, stand_in, wanted, cache_dir, report, anew=force)
        else:
            _build(api, stand_in, wanted, directory, cache_dir, report)
        made.append(stand_in.image)
    return tuple(made)


def _inputs(api: docker.APIClient, stand_in: StandIn, directory: Path) -> str:
    if stand_in.dockerfile is None:
        return inputs(stand_in, directory, {})
    if not stand_in.dockerfile.is_file():
        raise ComposeError(f"{stand_in.image} can't be built: there is no {stand_in.dockerfile}")
    froms = list(_FROM.finditer(stand_in.dockerfile.read_text()))
    stages = {found["stage"] for found in froms}
    names = {found["base"] for found in froms if "$" not in found["base"]} - stages
    return inputs(stand_in, directory, {name: images.present(api, name) or "" for name in names})


def inputs(stand_in: StandIn, directory: Path, bases: Mapping[str, str]) -> str:
    """A hash of what the stand-in is made from: the suite; or the Dockerfile, the files beside it that it names, what
    it takes of the project's lock, the ids of its bases (by name), the recipe's version."""
    made_from: dict[str, object] = {"suite": stand_in.debootstrap}
    if stand_in.dockerfile is not None:
        text = stand_in.dockerfile.read_text()
        lock = directory / _LOCK
        files = (path for path in stand_in.dockerfile.parent.iterdir() if path.is_file() and path != lock)
        beside = (path for path in files if path.name in text)
        made_from |= {
            "dockerfile": text,
            "beside": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in beside},
            "lock": _of_the_lock(lock.read_text(), text) if _LOCK in text and lock.is_file() else "",
            "bases": dict(bases),
            "recipe": recipe_version(stand_in.recipe),
        }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def _of_the_lock(lock: str, dockerfile: str) -> str:
    """The entries of the packages that the Dockerfile names, or the whole lock where it names none."""
    names = sorted(set(_PACKAGE.findall(dockerfile)))
    entries = [re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*$", lock, re.MULTILINE) for name in names]
    return "\n".join(entry.group() if entry else "" for entry in entries) if names else lock


def _import_debian(
    api: docker.APIClient, stand_in: StandIn, inputs: str, cache_dir: Path, report: Report | None, *, anew: bool
) -> None:
    machine = debian.machine(stand_in.debootstrap)
    archive = debian.archive(stand_in.debootstrap, cache_dir, report, anew=anew)
    what = f"import {stand_in.image}"
    repository, tag = parse_repository_tag(stand_in.image)
    with tempfile.TemporaryDirectory(prefix="alpesctl-") as folder:
        whole = Path(folder) / "root.tar"
        debian.with_machine(archive, whole, machine)
        if report is not None:
            report(Step(what, 0, whole.stat().st_size))
        answer = api.import_image_from_file(
            str(whole),
            repository=repository,
            tag=tag or "latest",
            changes=['CMD ["bash"]', f"ENV SSL_CERT_FILE={_CA_BUNDLE}", f"LABEL {INPUTS}={inputs}"],
        )
        size = whole.stat().st_size
    for line in str(answer).splitlines():
        if line.strip() and "error" in (said := json.loads(line)):
            raise MachineError(
                f"the engine can't import {stand_in.image}", why=str(said["error"]), out="docker info; make room there"
            )
    if report is not None:
        report(Step(what, size, size, finished=True))


def _build(
    api: docker.APIClient, stand_in: StandIn, inputs: str, directory: Path, cache_dir: Path, report: Report | None
) -> None:
    assert stand_in.dockerfile is not None
    with tempfile.TemporaryFile() as context:
        write_context(context, stand_in, directory, recipe_files(stand_in.recipe, cache_dir))
        context.seek(0)
        name = stand_in.dockerfile.name
        images.build_from_archive(api, stand_in.image, context, name, report, labels={INPUTS: inputs})


def write_context(context: IO[bytes], stand_in: StandIn, directory: Path, recipe: dict[str, Path]) -> None:
    """The build's context as a tar archive: the Dockerfile with the files beside it, the project's lock, and the
    recipe's folders under their names."""
    assert stand_in.dockerfile is not None
    with tarfile.open(fileobj=context, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(stand_in.dockerfile.parent.iterdir()):
            if path.is_file():
                tar.add(path, arcname=path.name, filter=_owned_by_root)
        if (directory / _LOCK).is_file():
            tar.add(directory / _LOCK, arcname=_LOCK, filter=_owned_by_root)
        for name, folder in recipe.items():
            tar.add(folder, arcname=name, filter=_owned_by_root)


def recipe_files(recipe: str, cache_dir: Path) -> dict[str, Path]:
    """What a local runtime's recipe gives to the context: a folder, by its name there."""
    if not recipe_version(recipe):
        return {}
    from alpesctl.runtimes.local.recipes.pulsar import distribution

    return {"pulsar": distribution(cache_dir)}


def recipe_version(recipe: str) -> str:
    """The version of what `recipe_files` gives, without fetching it."""
    if not recipe:
        return ""
    if recipe == "pulsar":
        from alpesctl.runtimes.local.recipes.pulsar import VERSION

        return VERSION
    raise ComposeError(
        f"x-alpes.stand_ins: the recipe {recipe!r} has no files for an image", out="write pulsar, or none"
    )


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whoever unpacked it, and whatever their umask: what an image needs is readable, and root's."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    executable = member.isdir() or member.mode & 0o100
    member.mode = 0o755 if executable else 0o644
    return member
