"""Images: what a pull and a build say, and what is said where they fail."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError

from alpesctl.errors import ComposeError, MachineError
from alpesctl.runtimes.base import Step
from alpesctl.runtimes.docker import images, library
from alpesctl.stack.model import Build, Service, Spec
from tests.unit.runtimes.docker.engine_fake import ROOT, Engine


def service(build: Build | None = None) -> Service:
    return Service("web", "shop/web:1", (), {}, build=build)


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
