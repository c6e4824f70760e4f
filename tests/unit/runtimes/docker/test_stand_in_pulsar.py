"""The stand-in of Pulsar applies its environment as the official image does."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.runtimes.docker.engine_fake import IMAGES


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
