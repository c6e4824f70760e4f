from dataclasses import fields, replace
from pathlib import Path

import pytest

from alpesctl.stack.digest import (
    NOT_OF_THE_REPLICA,
    PARTS,
    UNKNOWN,
    changed,
    digest,
    environment_part,
    of_sources,
    wording,
)
from alpesctl.stack.model import (
    Build,
    Dependency,
    Hardening,
    HealthCheck,
    Limits,
    Listen,
    Mount,
    Port,
    Service,
)

WEB = Service("web", "image", ("run",), {"A": "1", "B": "2"})


def test_it_is_words_of_part_and_hash_in_order() -> None:
    words = [word.partition("=") for word in digest(WEB).split()]
    names = [name for name, _, _ in words]
    assert names == sorted(names)
    assert names == sorted({*PARTS, "files", "environment.A", "environment.B"} - {"environment"})
    assert all(len(value) == 8 and int(value, 16) >= 0 for _, _, value in words)


def test_every_field_of_a_service_is_in_one_part_or_in_none() -> None:
    counted = [field for part in PARTS.values() for field in part]
    assert sorted([*counted, *NOT_OF_THE_REPLICA]) == sorted(field.name for field in fields(Service))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"image": "other"}, ("image",)),
        ({"command": ("run", "fast")}, ("command",)),
        ({"entrypoint": ()}, ("command",)),
        ({"working_dir": "/srv"}, ("command",)),
        ({"init": True}, ("command",)),
        ({"environment": {"A": "2", "B": "2"}}, ("environment.A",)),
        ({"environment": {"B": "2", "C": "3"}}, ("environment.A", "environment.C")),
        ({"environment": {"B": "2", "A": "1"}}, ()),
        ({"ports": (Port(80, 8080, 8080),)}, ("ports",)),
        ({"mounts": (Mount("volume", "data", "/data"),)}, ("volumes",)),
        ({"networks": ("backend",)}, ("networks",)),
        ({"health": HealthCheck(("true",))}, ("health",)),
        ({"health_disabled": True}, ("health",)),
        ({"restart": "always"}, ("restart",)),
        ({"stop_signal": "SIGINT"}, ("stop",)),
        ({"stop_grace": 30.0}, ("stop",)),
        ({"labels": {"a": "b"}}, ("labels",)),
        ({"limits": Limits(pids=9)}, ("limits",)),
        ({"hardening": Hardening(read_only=True)}, ("security",)),
        ({"user": "app"}, ("security",)),
        ({"recipe": "nginx"}, ("recipe",)),
        ({"listen": Listen("HOST", "PORT", 80)}, ("recipe",)),
        ({"external": {80: 81}}, ("recipe",)),
        ({"image": "other", "restart": "always"}, ("image", "restart")),
        ({"replicas": 3}, ()),
        ({"depends_on": (Dependency("db", "service_started"),)}, ()),
        ({"build": Build(Path("/srv"), "Dockerfile")}, ()),
        ({"one_shot": True}, ()),
    ],
)
def test_a_change_differs_in_its_part_alone(change: dict[str, object], parts: tuple[str, ...]) -> None:
    assert changed(digest(WEB), digest(replace(WEB, **change))) == parts  # type: ignore[arg-type]


def test_the_content_of_a_bound_file_counts(tmp_path: Path) -> None:
    file = tmp_path / "conf"
    file.write_text("one")
    bound = replace(WEB, mounts=(Mount("bind", str(file), "/conf"),))
    before = digest(bound)
    file.write_text("two")
    assert changed(before, digest(bound)) == ("files",)


def test_a_part_more_is_hashed_and_one_of_the_same_name_replaced() -> None:
    there, moved = digest(WEB, addresses="db:5432"), digest(WEB, addresses="db:5433")
    assert "5432" not in there
    assert changed(there, moved) == ("addresses",)
    assert changed(digest(WEB), there) == ("addresses",)
    assert changed(digest(WEB, image="id"), digest(replace(WEB, image="other"), image="id")) == ()
    assert "environment." not in digest(WEB, environment="all")


@pytest.mark.parametrize("part", ["image", "environment", "environment.A"])
def test_what_is_unknown_never_differs(part: str) -> None:
    other = digest(replace(WEB, image="other", environment={"A": "2"}), **{part: UNKNOWN})
    left = {"image", "environment.A", "environment.B"} - {part}
    expected = tuple(sorted(name for name in left if part != "environment" or not name.startswith("environment")))
    assert f" {part}=? " in other
    assert changed(other, digest(WEB)) == expected
    assert changed(digest(WEB), other) == expected


@pytest.mark.parametrize("text", ["", "0123456789abcdef", "image=", "=1", "image =1", "IMAGE=1"])
def test_a_text_that_is_no_digest_is_another_configuration(text: str) -> None:
    assert changed(text, digest(WEB)) == changed(digest(WEB), text) == ("configuration",)
    assert changed(text, text) == ()


def test_any_name_of_a_variable_can_be_told() -> None:
    odd = digest(replace(WEB, environment={**WEB.environment, "an odd=näme": "x"}))
    assert changed(digest(WEB), odd) == (environment_part("an odd=näme"),)
    assert wording(changed(digest(WEB), odd)) == "environment (an odd=näme)"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("configuration",), "configuration"),
        (("image",), "image"),
        (("environment.PULSAR_MEM", "image"), "environment (PULSAR_MEM) and image"),
        (("command", "environment.A", "environment.B", "limits"), "command, environment (A, B) and limits"),
        (("environment.A", "environment.B", "environment.C", "environment.D"), "environment (4 variables)"),
        (("environment",), "environment"),
        (("files", "health", "security", "stop"), "bound files, health check, security settings and way to stop"),
    ],
)
def test_what_changed_can_stand_in_a_sentence(parts: tuple[str, ...], text: str) -> None:
    assert wording(parts) == text


def test_code_that_no_image_holds_counts_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.py").write_text("1")
    before = of_sources([tmp_path])
    (tmp_path / "notes.txt").write_text("no code")
    assert of_sources([tmp_path]) == before
    (tmp_path / "deep" / "a.py").write_text("2")
    edited = of_sources([tmp_path])
    (tmp_path / "deep" / "a.py").rename(tmp_path / "deep" / "b.py")
    assert len({before, edited, of_sources([tmp_path])}) == 3
    assert wording(changed(digest(WEB, sources=before), digest(WEB, sources=edited))) == "code"
