from collections.abc import Callable
from pathlib import Path

import pytest

from alpesctl.errors import ComposeError
from alpesctl.stack.load import load
from alpesctl.stack.model import Spec, StandIn, StandIns

STACK = """
services:
  web: {image: '${WEB_IMAGE:-web:1}', user: '${WEB_USER-}'}
"""
DECLARED = """
x-alpes:
  stand_ins:
    env_file: ${FOLDER:-stand}/ins.env
    images:
      - {image: 'in-debian:bookworm', debootstrap: bookworm}
      - {image: 'in-python:3.11', dockerfile: images/python.Dockerfile}
      - {image: 'in-pulsar:4', dockerfile: images/pulsar.Dockerfile, recipe: pulsar}
"""


def load_with(
    folder: Path, text: str, *, env: str = "", stand_ins: bool | Callable[[str], bool] = True, **environment: str
) -> Spec:
    (folder / "compose.yaml").write_text(text)
    (folder / ".env").write_text(env)
    (folder / "stand").mkdir(exist_ok=True)
    (folder / "stand" / "ins.env").write_text("WEB_IMAGE=in-web:1\nNEEDED=there\n")
    return load(start=folder, environment=environment, stand_ins=stand_ins)


def test_what_is_declared(tmp_path: Path) -> None:
    assert load_with(tmp_path, STACK, stand_ins=False).stand_ins is None
    assert load_with(tmp_path, DECLARED + STACK, stand_ins=False).stand_ins == StandIns(
        tmp_path / "stand" / "ins.env",
        (
            StandIn("in-debian:bookworm", debootstrap="bookworm"),
            StandIn("in-python:3.11", dockerfile=tmp_path / "images" / "python.Dockerfile"),
            StandIn("in-pulsar:4", dockerfile=tmp_path / "images" / "pulsar.Dockerfile", recipe="pulsar"),
        ),
    )


@pytest.mark.parametrize(
    ("env", "environment", "stand_ins", "image"),
    [
        ("", {}, False, "web:1"),
        ("", {}, True, "in-web:1"),
        ("WEB_IMAGE=file:1", {}, False, "file:1"),
        ("WEB_IMAGE=file:1", {}, True, "in-web:1"),
        ("WEB_IMAGE=file:1", {"WEB_IMAGE": "caller:1"}, True, "caller:1"),
    ],
)
def test_their_variables_go_before_the_env_file_and_after_the_environment(
    tmp_path: Path, env: str, environment: dict[str, str], stand_ins: bool, image: str
) -> None:
    spec = load_with(tmp_path, DECLARED + STACK, env=env, stand_ins=stand_ins, **environment)
    assert spec.services["web"].image == image


def test_a_variable_that_only_they_have_is_there(tmp_path: Path) -> None:
    text = DECLARED + "services: {web: {image: '${NEEDED:?}'}}"
    assert load_with(tmp_path, text).services["web"].image == "there"
    with pytest.raises(ComposeError, match="NEEDED"):
        load_with(tmp_path, text, stand_ins=False)


def test_an_included_file_declares_them_relative_to_the_project(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "more.yaml").write_text(DECLARED + STACK)
    spec = load_with(tmp_path, "include: ['${INNER:-inner}/more.yaml']")
    assert spec.services["web"].image == "in-web:1"
    assert spec.stand_ins is not None
    assert spec.stand_ins.env_file == tmp_path / "stand" / "ins.env"


def test_a_stack_without_any_cannot_use_them(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="declares no stand-ins"):
        load_with(tmp_path, STACK)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match=r"elsewhere/ins\.env does not exist") as caught:
        load_with(tmp_path, DECLARED + STACK, FOLDER="elsewhere")
    assert "x-alpes.stand_ins.env_file" in caught.value.out


@pytest.mark.parametrize("stand_ins", [True, False])
@pytest.mark.parametrize(
    ("body", "path", "word"),
    [
        ("[]", "x-alpes.stand_ins", "a mapping is expected"),
        ("{images: [{image: a, debootstrap: bookworm}]}", "x-alpes.stand_ins.env_file", "missing"),
        ("{env_file: [a], images: [{image: a, debootstrap: bookworm}]}", "x-alpes.stand_ins.env_file", "text"),
        ("{env_files: a}", "x-alpes.stand_ins.env_files", "did you mean env_file"),
    ],
)
def test_what_is_wrong_with_all_is_named(tmp_path: Path, stand_ins: bool, body: str, path: str, word: str) -> None:
    with pytest.raises(ComposeError) as caught:
        load_with(tmp_path, f"x-alpes: {{stand_ins: {body}}}\n{STACK}", stand_ins=stand_ins)
    assert caught.value.what.startswith(path)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("images", "path", "word"),
    [
        ("", "images", "a list of images"),
        ("[]", "images", "a list of images"),
        ("[a]", "images[0]", "a mapping is expected"),
        ("[{debootstrap: bookworm}]", "images[0].image", "missing"),
        ("[{image: a}]", "images[0]", "exactly one"),
        ("[{image: a, debootstrap: bookworm, dockerfile: b}]", "images[0]", "exactly one"),
        ("[{image: a, debootstrap: --help}]", "images[0].debootstrap", "Debian suite"),
        ("[{image: a, debootstrap: bookworm, recipe: pulsar}]", "images[0].recipe", "for a dockerfile"),
        ("[{image: a, dockerfil: b}]", "images[0].dockerfil", "did you mean dockerfile"),
        ("[{image: a, dockerfile: 7}]", "images[0].dockerfile", "text is expected"),
        ("[{image: a, dockerfile: b}, {image: a, dockerfile: c}]", "images[1].image", "twice"),
    ],
)
def test_what_is_wrong_with_one_is_named(tmp_path: Path, images: str, path: str, word: str) -> None:
    with pytest.raises(ComposeError) as caught:
        load_with(tmp_path, f"x-alpes: {{stand_ins: {{env_file: stand/ins.env, images: {images}}}}}\n{STACK}")
    assert caught.value.what.startswith(f"x-alpes.stand_ins.{path}")
    assert word in str(caught.value)


@pytest.mark.parametrize(("wished", "image"), [(True, "in-web:1"), (False, "web:1")])
def test_whether_they_are_used_may_depend_on_the_projects_name(tmp_path: Path, wished: bool, image: str) -> None:
    asked: list[str] = []
    spec = load_with(
        tmp_path,
        "name: '${SHOP}-test'\n" + DECLARED + STACK,
        env="SHOP=shop",
        stand_ins=lambda name: asked.append(name) or wished,  # type: ignore[func-returns-value]
    )
    assert asked == [spec.project] == ["shop-test"]
    assert spec.services["web"].image == image


def test_where_none_are_declared_nobody_is_asked(tmp_path: Path) -> None:
    spec = load_with(tmp_path, STACK, stand_ins=lambda name: pytest.fail(f"{name} was asked for"))
    assert spec.services["web"].image == "web:1"
