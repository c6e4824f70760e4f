from collections.abc import Callable
from pathlib import Path

import pytest

from alpesctl.errors import ComposeError
from alpesctl.stack.load import load
from alpesctl.stack.model import Dependency, Port, Spec, StatsSource

ROOT = Path(__file__).resolve().parents[3]
Loader = Callable[[str], Spec]


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    def write_and_load(text: str) -> Spec:
        (tmp_path / "compose.yaml").write_text(text)
        return load(start=tmp_path, environment={})

    return write_and_load


def web(body: str) -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"services:\n  web:\n    image: web\n{lines}\n"


def topic(members: str) -> str:
    more = f", {members}" if members else ""
    return f"x-alpes: {{pulsar: {{service: web, topics: [{{name: orders{more}}}]}}}}\n" + web("")


def stats(more: str) -> str:
    source = f"{{title: Days, url: 'http://web:80/days', columns: [day, count], {more}}}"
    return f"x-alpes: {{stats: [{source}]}}\n" + web("")


def test_a_source_of_statistics_must_say_what_its_columns_mean(loader: Loader) -> None:
    columns = ("day", "count")
    assert loader(stats("total: count, money: day, shown: 14")).stats == (
        StatsSource("Days", "http://web:80/days", columns, "count", "day", 14),
    )
    assert loader(stats("")).stats == (StatsSource("Days", "http://web:80/days", columns),)


def test_the_stack_of_this_project() -> None:
    spec = load(start=ROOT / "compose", environment={}, file=ROOT / "compose.yaml")
    assert spec.project == "alpespartners"
    assert spec.directory == ROOT
    assert {name: service.replicas for name, service in spec.services.items() if service.replicas != 1} == {
        "tracking": 3
    }
    assert spec.services["tracking"].ports == (Port(8010, 8010, 8029),)
    assert spec.services["tracking_setup"].one_shot
    assert not spec.services["tracking_worker"].one_shot
    assert spec.services["tracking_nginx"].depends_on == (Dependency("tracking", "service_healthy"),)
    assert spec.services["tracking_db"].environment["POSTGRES_DB"] == "app"
    assert spec.pulsar is not None
    own, theirs = ("tracking_worker",), ("affiliates_worker",)
    assert {topic.name: (topic.subscription, topic.consumers, topic.producers) for topic in spec.pulsar.topics} == {
        "commands.tracking": ("tracking-svc", own, ("tracking", "affiliates_worker")),
        "commands.tracking-DLQ": ("dead-letters", (), own),
        "events.tracking": ("affiliates-svc", theirs, own),
        "events.tracking-DLQ": ("dead-letters", (), theirs),
        "commands.affiliates": ("affiliates-svc", theirs, theirs),
        "commands.affiliates-DLQ": ("dead-letters", (), theirs),
        "events.affiliates": ("", (), theirs),
    }


def test_the_file_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(web(""))
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert load(start=below, environment={}).directory == tmp_path


def test_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(web("environment: {A: '$A', B: '$B'}"))
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    spec = load(start=tmp_path, environment={"A": "environment"})
    assert spec.services["web"].environment == {"A": "environment", "B": "file"}


@pytest.mark.parametrize(
    ("flag", "variables", "expected"),
    [
        ("flag", {"COMPOSE_PROJECT_NAME": "variable"}, "flag"),
        (None, {"COMPOSE_PROJECT_NAME": "variable"}, "variable"),
        (None, {}, "inside"),
    ],
)
def test_the_name_of_the_project(tmp_path: Path, flag: str | None, variables: dict[str, str], expected: str) -> None:
    (tmp_path / "compose.yaml").write_text("name: inside\n" + web(""))
    assert load(start=tmp_path, environment=variables, project_name=flag).project == expected


@pytest.mark.parametrize(
    ("text", "path", "word"),
    [
        ("services: {}", "", "no services"),
        (web("prots: []"), "services.web.prots", "did you mean ports"),
        (web("privileged: true"), "services.web.privileged", "does not support"),
        (web("healthcheck: {test: [CMD, x], start_interval: 1s}"), "healthcheck.start_interval", "support"),
        (web("healthcheck: {test: 7}"), "services.web.healthcheck.test", "CMD"),
        (web("healthcheck: {test: [CMD, x], interval: 5}"), "services.web.healthcheck.interval", "30s"),
        (web("ports: ['8080:80']"), "services.web.ports[0]", "127.0.0.1:8080:80"),
        (web("ports: ['0.0.0.0:8080:80']"), "services.web.ports[0]", "beyond this machine"),
        (web("ports: ['127.0.0.1:80a:80']"), "services.web.ports[0]", "no port"),
        (web("ports: ['127.0.0.1:8090-8080:80']"), "services.web.ports[0]", "low to high"),
        (web("ports: ['127.0.0.1:70000:80']"), "services.web.ports[0]", "65535"),
        (web("ports: ['127.0.0.1:1:80', '127.0.0.1:2:80']"), "services.web.ports[1]", "ports[0]"),
        (web("ports: ['127.0.0.1:1:80', '127.0.0.1:1:80']"), "services.web.ports[1]", "8010-8029:80"),
        (web("healthcheck: {disable: perhaps}"), "services.web.healthcheck.disable", "true or false"),
        (web("stop_signal: true"), "services.web.stop_signal", "truth value"),
        (web("depends_on: [db]"), "services.web.depends_on", "no service 'db'"),
        (web("depends_on: [web]"), "services.web.depends_on", "circle"),
        (web("depends_on: {web: {condition: ready}}"), "depends_on.web.condition", "service_healthy"),
        (web("environment: {DEBUG: true}"), "services.web.environment.DEBUG", '"true"'),
        (web("volumes: ['data:/data']"), "services.web.volumes[0]", "not declared"),
        (web("networks: [inner]"), "services.web.networks", "not declared"),
        (web("deploy: {replicas: many}"), "services.web.deploy.replicas", "whole number"),
        (web("deploy: {replicas: 1000}"), "services.web.deploy.replicas", "0 to 100"),
        (web("restart: sometimes"), "services.web.restart", "unless-stopped"),
        (web("x-alpes: {recipee: nginx}"), "services.web.x-alpes.recipee", "did you mean recipe"),
        (web("image: again"), "", "stands twice"),
        ("services:\n  web: {}", "services.web", "neither image nor build"),
        ("services:\n  web: text", "services.web", "a mapping is expected"),
        ("services: [", "", "no valid YAML"),
        ("x-alpes: {pulsar: {service: gone}}\n" + web(""), "x-alpes.pulsar.service", "no service 'gone'"),
        ("x-alpes: {memory: much}\n" + web(""), "x-alpes.memory", "1.5gb"),
        (topic("consumers: gone"), "topics[0].consumers", "no service 'gone'"),
        (topic("producers: [web, gone]"), "topics[0].producers", "no service 'gone'"),
        (topic("producers: [web, web]"), "topics[0].producers[1]", "stands twice"),
        (topic("producers: {web: 1}"), "topics[0].producers", "a list of texts"),
        (stats("total: sum"), "x-alpes.stats[0].total", "one of: day, count"),
        (stats("money: sum"), "x-alpes.stats[0].money", "no column 'sum'"),
        (stats("shown: -1"), "x-alpes.stats[0].shown", "0 for all"),
        (stats("shown: yes"), "x-alpes.stats[0].shown", "a whole number"),
        (stats("totals: count"), "x-alpes.stats[0].totals", "did you mean total"),
        ("include: [{file: other.yaml}]\n" + web(""), "include[0].file", "Compose has no such key"),
        ("include: [missing.yaml]\n" + web(""), "missing.yaml", "can't be read"),
        ("include: other.yaml\n" + web(""), "include", "a list is expected"),
        ("include: [compose.yaml]\n" + web(""), "", "can't be understood"),
        (web("x-alpes: {external: {http: 80}}"), "", "can't be understood"),
        (web("healthcheck: {test: [CMD, x], retries: many}"), "", "can't be understood"),
        (web("ports: 8080"), "", "can't be understood"),
    ],
)
def test_what_is_not_understood_is_an_error_with_its_path(loader: Loader, text: str, path: str, word: str) -> None:
    with pytest.raises(ComposeError) as caught:
        loader(text)
    assert path in str(caught.value)
    assert word in str(caught.value)
    assert caught.value.exit_code == 2


def test_what_a_stack_takes_is_unknown_unless_it_says_so(loader: Loader) -> None:
    assert loader(web("mem_limit: 64m")).memory is None
    assert loader("x-alpes: {memory: 3g}\n" + web("")).memory == 3 * 1024**3


@pytest.mark.parametrize(
    ("written", "services"),
    [
        ("", ()),
        ("producers: null", ()),
        ("producers: []", ()),
        ("producers: web", ("web",)),
        ("producers: [web]", ("web",)),
    ],
)
def test_a_topic_must_take_one_service_or_a_list_of_them(
    loader: Loader, written: str, services: tuple[str, ...]
) -> None:
    pulsar = loader(topic(written)).pulsar
    assert pulsar is not None
    assert pulsar.topics[0].producers == services


def test_a_service_can_publish_several_ports(loader: Loader) -> None:
    spec = loader(web("ports: ['127.0.0.1:1:80', '127.0.0.1:2:81', {target: 82, published: 3, host_ip: 127.0.0.1}]"))
    assert spec.services["web"].ports == (Port(80, 1, 1), Port(81, 2, 2), Port(82, 3, 3))


@pytest.mark.parametrize(("body", "signal"), [("", ""), ("stop_signal:", ""), ("stop_signal: SIGINT", "SIGINT")])
def test_a_stop_signal_that_is_not_written_is_the_images_own(loader: Loader, body: str, signal: str) -> None:
    assert loader(web(body)).services["web"].stop_signal == signal


@pytest.mark.parametrize(
    ("body", "checked", "disabled"),
    [
        ("", False, False),
        ("healthcheck: {test: [CMD, x]}", True, False),
        ("healthcheck: {test: [CMD, x], disable: 'false'}", True, False),
        ("healthcheck: {disable: true}", False, True),
        ("healthcheck: {test: [CMD, x], disable: true}", False, True),
        ("healthcheck: {test: [NONE]}", False, True),
    ],
)
def test_no_health_check_is_not_one_switched_off(loader: Loader, body: str, checked: bool, disabled: bool) -> None:
    service = loader(web(body)).services["web"]
    assert (service.health is not None, service.health_disabled) == (checked, disabled)


@pytest.mark.parametrize("image", ["", "image: ''", "image:"])
def test_what_is_built_without_a_name_must_get_composes(loader: Loader, image: str) -> None:
    spec = loader(f"name: shop\nservices:\n  web:\n    build: .\n    {image}\n")
    assert spec.services["web"].image == "shop-web"


def test_the_database_must_have_a_locale_that_no_image_and_no_machine_lacks() -> None:
    arguments = load(start=ROOT, environment={}).services["tracking_db"].environment["POSTGRES_INITDB_ARGS"].split()
    expected = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    assert arguments == expected


def test_extensions_pass(loader: Loader) -> None:
    assert "web" in loader("x-anything: [1]\n" + web("x-mine: {a: b}")).services


def test_an_included_file_brings_its_services(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "more.yaml").write_text("name: ignored\n" + web("volumes: ['./f:/f:ro']"))
    (tmp_path / "compose.yaml").write_text("name: outer\ninclude:\n  - {path: inner/more.yaml, project_directory: .}\n")
    spec = load(start=tmp_path, environment={})
    assert spec.project == "outer"
    assert spec.services["web"].mounts[0].source == str(tmp_path / "f")


def test_no_compose_file_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match=r"no compose\.yaml"):
        load(start=tmp_path, environment={})
