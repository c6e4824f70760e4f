"""Images built here in place of those that can't be pulled."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from alpesctl.errors import ComposeError, MachineError
from alpesctl.runtimes.docker import debian, stand_ins
from alpesctl.runtimes.local.recipes import pulsar
from alpesctl.stack.model import StandIn, StandIns
from tests.unit.runtimes.docker.engine_fake import IMAGES, ROOT, Engine


def test_a_context_has_the_files_beside_the_dockerfile_the_lock_and_the_recipes(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "bin"
    folder.mkdir(parents=True)
    (folder / "run").write_text("x")
    (folder / "run").chmod(0o700)
    stand_in = StandIn("mine/pulsar:1", dockerfile=IMAGES / "stand-in-pulsar.Dockerfile")
    context = io.BytesIO()
    stand_ins.write_context(context, stand_in, ROOT, {"pulsar": tmp_path / "made"})
    context.seek(0)
    with tarfile.open(fileobj=context) as archive:
        members = {member.name: member for member in archive}
    assert {"stand-in-pulsar.Dockerfile", "stand-in-pulsar.apply-config-from-env.py", "requirements.txt"} <= set(
        members
    )
    assert members["pulsar/bin/run"].mode == 0o755
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}


def test_an_unknown_recipe_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="the recipe 'oracle' has no files"):
        stand_ins.recipe_files("oracle", tmp_path)


def cached_debian(cache: Path) -> Path:
    """An archive as debootstrap would have left it in the cache."""
    (cache / "debian").mkdir(parents=True)
    path = debian.cached("bookworm", cache)
    with tarfile.open(path, "w") as archive:
        for name in ("./etc/apt/sources.list", "./etc/os-release"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def two(dockerfile: Path) -> StandIns:
    made = (StandIn("mine/debian:1", debootstrap="bookworm"), StandIn("mine/python:1", dockerfile=dockerfile))
    return StandIns(ROOT / "env", made)


def test_stand_ins_are_built_in_order_where_they_are_missing(tmp_path: Path) -> None:
    cached_debian(tmp_path)
    engine = Engine({"stream": "Step 1/1 : FROM mine/debian:1\n"})
    plan = two(IMAGES / "stand-in-python.Dockerfile")
    built = stand_ins.build_stand_ins(engine.client(), plan, ROOT, tmp_path)
    assert built == ("mine/debian:1", "mine/python:1")
    assert [asked["tag"] for asked in engine.built] == list(built)
    # An engine refuses an archive that names a file twice.
    names = engine.built[0]["names"]
    assert sorted(set(names)) == sorted(names)
    assert stand_ins.build_stand_ins(engine.client(), plan, ROOT, tmp_path) == ()


def test_a_stand_in_made_from_something_else_must_be_built_anew(tmp_path: Path) -> None:
    cached_debian(tmp_path)
    engine = Engine(there=("mine/debian:1", "mine/python:1"))  # without the label: nobody knows from what
    dockerfile = tmp_path / "python.Dockerfile"
    dockerfile.write_text("FROM mine/debian:1\nCOPY run.sh /\n")
    script = tmp_path / "run.sh"
    script.write_text("one")
    other = tmp_path / "other.sh"
    other.write_text("one")

    def build(*, force: bool = False) -> tuple[str, ...]:
        plan = two(dockerfile)
        return stand_ins.build_stand_ins(engine.client(), plan, tmp_path, tmp_path, force=force)

    both = ("mine/debian:1", "mine/python:1")
    assert build() == both
    assert build() == ()
    dockerfile.write_text(f"{dockerfile.read_text()}USER 1\n")
    assert build() == ("mine/python:1",)
    script.write_text("two")
    assert build() == ("mine/python:1",)
    other.write_text("two")
    assert build() == ()
    engine.labels.pop("mine/debian:1")
    assert build() == both  # on a new base
    engine.there["mine/debian:1"] = "sha256:by hand"
    assert build() == ("mine/python:1",)


def hash_of(dockerfile: Path, directory: Path, recipe: str = "") -> str:
    return stand_ins.inputs(StandIn("mine/x:1", dockerfile=dockerfile, recipe=recipe), directory, {})


def test_of_the_lock_only_what_a_stand_in_installs_counts(tmp_path: Path) -> None:
    lock, some, whole = tmp_path / "requirements.txt", tmp_path / "some.Dockerfile", tmp_path / "whole.Dockerfile"
    none = tmp_path / "none.Dockerfile"
    some.write_text((IMAGES / "stand-in-nginx.Dockerfile").read_text())
    whole.write_text("FROM x\nCOPY requirements.txt /\n")
    none.write_text("FROM x\n")

    def hashes(other: str, nginx: str) -> list[str]:
        lock.write_text(
            f"aiohttp=={other} \\\n    --hash=sha256:1\nnginx-wheel==1.31 \\\n    --hash=sha256:2 \\\n"
            f"    --hash=sha256:{nginx}\nzope=={other}\n"
        )
        return [hash_of(dockerfile, tmp_path) for dockerfile in (some, whole, none)]

    before, other, nginx = hashes("1", "3"), hashes("2", "3"), hashes("1", "4")
    assert [a == b for a, b in zip(before, other, strict=True)] == [True, False, True]
    assert [a == b for a, b in zip(before, nginx, strict=True)] == [False, False, True]


def test_the_version_of_a_recipe_counts_and_its_files_are_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dockerfile = IMAGES / "stand-in-pulsar.Dockerfile"
    before = hash_of(dockerfile, ROOT, "pulsar")
    assert before == hash_of(dockerfile, ROOT, "pulsar")
    monkeypatch.setattr(pulsar, "VERSION", "9.9.9")
    assert hash_of(dockerfile, ROOT, "pulsar") != before


@pytest.mark.parametrize(
    ("line", "bases"),
    [
        ("FROM mine/debian:1", {"mine/debian:1"}),
        ("from --platform=linux/amd64 mine/debian:1 AS last", {"mine/debian:1"}),
        ("ARG BASE\nFROM ${BASE}\nFROM $BASE\nFROM a AS Made\nFROM Made", {"a"}),
    ],
)
def test_the_bases_of_a_stand_in_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, bases: set[str]
) -> None:
    (tmp_path / "Dockerfile").write_text(line)
    engine, asked = Engine(), []
    monkeypatch.setattr(engine, "inspect_image", lambda name: asked.append(name) or {"Id": "1"})
    stand_ins.build_stand_ins(
        engine.client(),
        StandIns(ROOT / "env", (StandIn("mine/x:1", dockerfile=tmp_path / "Dockerfile"),)),
        ROOT,
        tmp_path,
    )
    assert set(asked) - {"mine/x:1"} == bases


def test_a_refused_import_must_be_an_error(tmp_path: Path) -> None:
    cached_debian(tmp_path)
    engine = Engine(imported='{"status":"x"}\r\n{"error":"no space left on device"}\r\n')
    with pytest.raises(MachineError, match="can't import mine/debian:1") as failed:
        stand_ins.build_stand_ins(engine.client(), two(IMAGES / "none"), ROOT, tmp_path)
    assert failed.value.why == "no space left on device"


def test_without_debootstrap_the_commands_to_get_it_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="no debootstrap") as failed:
        debian.archive("bookworm", tmp_path)
    assert "apt-get install -y --no-install-recommends debootstrap" in failed.value.out
    assert not list(tmp_path.iterdir())


TARGETS = """\
http://mirror.example/debian/ bookworm main
http://mirror.example/debian/ bookworm contrib
http://mirror.example/security/ bookworm-security main
http://other.example/tools/ stable main
"""


def test_the_machines_own_sources_of_packages_go_into_the_image() -> None:
    sources = debian.apt_sources("bookworm", TARGETS)
    assert sources == (
        "deb http://mirror.example/debian/ bookworm main\ndeb http://mirror.example/security/ bookworm-security main\n"
    )
    assert debian.mirror("bookworm", sources) == "http://mirror.example/debian/"


def test_another_systems_sources_must_stay_out_of_it() -> None:
    assert debian.apt_sources("trixie", TARGETS) == ""
    assert debian.mirror("trixie", "") == ""


def machine(monkeypatch: pytest.MonkeyPatch, folder: Path, *, pip: str = "", apt: str = "", targets: str = "") -> None:
    """Make this machine one with these settings."""
    (folder / "pip.conf").write_text(pip)
    monkeypatch.setattr(debian, "_PIP_CONF", folder / "pip.conf")
    monkeypatch.setattr(debian, "_output", lambda *command: apt if command[0] == "apt-config" else targets)


def test_the_machines_own_ways_to_packages_go_into_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = 'Acquire::http::Proxy "http://proxy.example:3128";'
    pip = "# ask ops@example.org\n[global]\n; index-url = https://me:secret@old/\nindex-url = https://pypi.example/\n"
    machine(monkeypatch, tmp_path, pip=pip, apt=f'APT "";\n{proxy}\nAcquire::Retries "3";\n', targets=TARGETS)
    files = debian.machine("bookworm")
    assert files["etc/pip.conf"] == b"[global]\nindex-url = https://pypi.example/\n"
    assert files["etc/apt/apt.conf.d/99machine"].decode() == f'{proxy}\nAcquire::Retries "3";\n'
    assert files["etc/apt/sources.list"].decode() == debian.apt_sources("bookworm", TARGETS)


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"pip": "[global]\nindex-url = https://me:secret@pypi.example/\n"}, "pip.conf"),
        ({"pip": "[global]\nextra-index-url =\n  https://a/\n  https://secret@pypi.example/\n"}, "pip.conf"),
        ({"pip": "[global]\nproxy = me:p/secret@proxy.example:3128\n"}, "pip.conf"),
        ({"apt": 'Acquire::https::Proxy "http://me:secret@proxy.example:3128";\n'}, "the settings of apt"),
        ({"targets": "https://me:secret@mirror.example/debian/ bookworm main\n"}, "the sources of apt"),
    ],
)
def test_a_password_must_never_go_into_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], where: str
) -> None:
    machine(monkeypatch, tmp_path, **settings)
    engine = Engine()
    cached_debian(tmp_path)
    with pytest.raises(MachineError, match=f"{where} can't go into an image") as failed:
        stand_ins.build_stand_ins(engine.client(), two(IMAGES / "stand-in-python.Dockerfile"), ROOT, tmp_path)
    assert "secret" not in str(failed.value)
    assert engine.built == []
