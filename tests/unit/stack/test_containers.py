from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alpesctl.errors import ComposeError
from alpesctl.stack.load import load
from alpesctl.stack.model import Hardening, Limits, Network, Service

Loader = Callable[[str], Service]
GB = 1024**3


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    def write_and_load(body: str) -> Service:
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        (tmp_path / "compose.yaml").write_text(f"services:\n  web:\n    image: web\n{lines}\n")
        return load(start=tmp_path, environment={"SET": "value", "ON": "true"}).services["web"]

    return write_and_load


def test_what_is_not_written_is_the_images_own(loader: Loader) -> None:
    service = loader("")
    assert (service.user, service.working_dir, service.entrypoint, service.init) == ("", "", None, False)
    assert (service.labels, service.limits, service.hardening) == ({}, Limits(), Hardening())


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ("user: '1000:1000'", "user", "1000:1000"),
        ("user: app", "user", "app"),
        ("user:", "user", ""),
        ("working_dir: /srv", "working_dir", "/srv"),
        ("entrypoint: [sh, -c, 'exec x']", "entrypoint", ("sh", "-c", "exec x")),
        ("entrypoint: sh -c 'exec x'", "entrypoint", ("sh", "-c", "exec x")),
        ("entrypoint: []", "entrypoint", ()),
        ("entrypoint: ''", "entrypoint", ()),
        ("entrypoint:", "entrypoint", None),
        ("init: true", "init", True),
        ("init: '$ON'", "init", True),
        ("init: 'false'", "init", False),
        ("labels: {a: x, b: 1, c: }", "labels", {"a": "x", "b": "1", "c": ""}),
        ("labels: [a=x, b=1=2, c, '$SET=d']", "labels", {"a": "x", "b": "1=2", "c": "", "value": "d"}),
        ("read_only: true", "hardening", Hardening(read_only=True)),
        ("cap_add: [CHOWN]", "hardening", Hardening(cap_add=("CHOWN",))),
        ("cap_drop: [ALL]", "hardening", Hardening(cap_drop=("ALL",))),
        ("security_opt: [no-new-privileges:true]", "hardening", Hardening(security_opt=("no-new-privileges:true",))),
        ("tmpfs: /run", "hardening", Hardening(tmpfs=("/run",))),
        ("tmpfs: [/run, '/tmp:size=64m']", "hardening", Hardening(tmpfs=("/run", "/tmp:size=64m"))),
    ],
)
def test_each_key_in_each_of_its_forms(loader: Loader, body: str, field: str, expected: object) -> None:
    assert loader(body) == replace(loader(""), **{field: expected})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("536870912", GB // 2),
        ("'536870912'", GB // 2),
        ("536870912b", GB // 2),
        ("524288k", GB // 2),
        ("524288kb", GB // 2),
        ("512m", GB // 2),
        ("512M", GB // 2),
        ("512mb", GB // 2),
        ("0.5g", GB // 2),
        ("1.5gb", 3 * GB // 2),
        ("2GiB", 2 * GB),
        ("2 GB", 2 * GB),
        ("0", None),
        ("", None),
    ],
)
def test_sizes_count_in_steps_of_1024(loader: Loader, text: str, bytes_: int | None) -> None:
    assert loader(f"mem_limit: {text}").limits == Limits(memory=bytes_)
    assert loader(f"deploy: {{resources: {{limits: {{memory: {text}}}}}}}").limits == Limits(memory=bytes_)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("cpus: 0.5", Limits(cpus=0.5)),
        ("cpus: '2'", Limits(cpus=2.0)),
        ("cpus: 0", Limits()),
        ("pids_limit: 200", Limits(pids=200)),
        ("pids_limit: '200'", Limits(pids=200)),
        ("pids_limit: -1", Limits()),
        ("deploy: {resources: {limits: {cpus: '0.5', memory: 1g, pids: 9}}}", Limits(GB, 0.5, 9)),
        ("cpus: 1\nmem_limit: 1024m\ndeploy: {resources: {limits: {cpus: '1.0', memory: 1g}}}", Limits(GB, 1.0)),
        ("pids_limit: 9\ndeploy: {replicas: 2, resources: {limits: {memory: 1g}}}", Limits(GB, None, 9)),
        ("deploy: {resources: {limits: }}", Limits()),
    ],
)
def test_limits_are_read_from_both_places(loader: Loader, body: str, expected: Limits) -> None:
    assert loader(body).limits == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ("{VERSION: '18', N: 1}", {"VERSION": "18", "N": "1"}),
        ("[VERSION=18, SET, ABSENT, EMPTY=]", {"VERSION": "18", "SET": "value", "EMPTY": ""}),
        ("{SET: , ABSENT: }", {"SET": "value"}),
    ],
)
def test_a_bare_build_argument_takes_the_callers_value(loader: Loader, args: str, expected: dict[str, str]) -> None:
    built = loader(f"build: {{context: sub, args: {args}}}").build
    assert built is not None
    assert built.args == expected
    assert built.dockerfile == "Dockerfile"


@pytest.mark.parametrize(
    ("body", "path", "word"),
    [
        ("user: 10:20", "services.web.user", "quotes"),
        ("working_dir: [/srv]", "services.web.working_dir", "text is expected"),
        ("entrypoint: {a: b}", "services.web.entrypoint", "list of words"),
        ('entrypoint: "sh -c \'x"', "services.web.entrypoint", "No closing quotation"),
        ("entrypoint: [run, true]", "services.web.entrypoint[1]", '"true"'),
        ("command: [run, ]\nentrypoint: [{a: b}]", "services.web.entrypoint[0]", "text or a number"),
        ("init: maybe", "services.web.init", "true or false"),
        ("init: 1", "services.web.init", "true or false"),
        ("read_only: []", "services.web.read_only", "true or false"),
        ("labels: {debug: yes}", "services.web.labels.debug", '"true"'),
        ("labels: {a: [b]}", "services.web.labels.a", "text or a number"),
        ("labels: [a: b]", "services.web.labels[0]", "NAME=value"),
        ("labels: ['=x']", "services.web.labels", "no name"),
        ("labels: {on: x}", "services.web.labels", "no name"),
        ("labels: text", "services.web.labels", "a mapping or a list"),
        ("labels: [com.docker.compose.project=x]", "services.web.labels.com.docker.compose.project", "reserves"),
        ("environment: {A: [b]}", "services.web.environment.A", "text or a number"),
        ("cap_add: ALL", "services.web.cap_add", "a list of texts"),
        ("cap_drop: [ALL, ALL]", "services.web.cap_drop[1]", "twice"),
        ("security_opt: [1]", "services.web.security_opt[0]", "text is expected"),
        ("tmpfs: run", "services.web.tmpfs", "absolute"),
        ("tmpfs: ['']", "services.web.tmpfs[0]", "empty"),
        ("mem_limit: 512x", "services.web.mem_limit", "512m"),
        ("mem_limit: 1.5", "services.web.mem_limit", "no size"),
        ("mem_limit: -1", "services.web.mem_limit", "no size"),
        ("mem_limit: true", "services.web.mem_limit", "no size"),
        ("mem_limit: 512", "services.web.mem_limit", "6m or more"),
        ("mem_limit: 99999999999g", "services.web.mem_limit", "6m or more"),
        ("cpus: many", "services.web.cpus", "number of cores"),
        ("cpus: -1", "services.web.cpus", "number of cores"),
        ("cpus: .nan", "services.web.cpus", "number of cores"),
        ("cpus: .inf", "services.web.cpus", "number of cores"),
        ("cpus: 0.001", "services.web.cpus", "at least 0.01"),
        ("cpus: true", "services.web.cpus", "number of cores"),
        ("pids_limit: -2", "services.web.pids_limit", "whole number"),
        ("pids_limit: 1.5", "services.web.pids_limit", "whole number"),
        ("deploy: {resources: {limits: {memory: lots}}}", "services.web.deploy.resources.limits.memory", "512m"),
        ("deploy: {resources: {limits: {mem: 1g}}}", "services.web.deploy.resources.limits.mem", "memory"),
        ("deploy: {resources: {limits: {devices: 1}}}", "services.web.deploy.resources.limits.devices", "no such key"),
        ("deploy: {resources: {reservations: {cpus: 1}}}", "services.web.deploy.resources.reservations", "support"),
        ("deploy: {resources: 1g}", "services.web.deploy.resources", "a mapping is expected"),
        ("mem_limit: 1g\ndeploy: {resources: {limits: {memory: 2g}}}", "services.web.mem_limit: '1g'", "'2g'"),
        ("cpus: 1\ndeploy: {resources: {limits: {cpus: 2}}}", "services.web.cpus", "resources.limits.cpus is 2"),
        ("pids_limit: -1\ndeploy: {resources: {limits: {pids: 2}}}", "services.web.pids_limit", "only one"),
        ("build: {args: {DEBUG: true}}", "services.web.build.args.DEBUG", '"true"'),
        ("build: {args: text}", "services.web.build.args", "a mapping or a list"),
        ("build: {ssh: [default]}", "services.web.build.ssh", "does not support"),
    ],
)
def test_what_is_not_understood_is_an_error_with_its_path(loader: Loader, body: str, path: str, word: str) -> None:
    with pytest.raises(ComposeError) as caught:
        loader(body)
    assert caught.value.what.startswith(path)
    assert word in str(caught.value)


def test_what_a_network_could_be_told_of_a_service_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services: {web: {image: x, networks: {back: {aliases: [y]}}}}\nnetworks: {back: {internal: true}}\n"
    )
    with pytest.raises(ComposeError, match=r"services\.web\.networks\.back\.aliases"):
        load(start=tmp_path, environment={})
    file.write_text("services: {web: {image: x, networks: {back: }}}\nnetworks: {back: {internal: true, name: n}}\n")
    assert load(start=tmp_path, environment={}).networks == {"back": Network("n", "bridge", True)}
