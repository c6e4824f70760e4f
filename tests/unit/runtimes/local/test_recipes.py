from pathlib import Path

import pytest

from alpesctl.errors import ComposeError
from alpesctl.runtimes.local.ports import PortBook
from alpesctl.runtimes.local.recipes import nginx, postgres, pulsar, recipe
from alpesctl.runtimes.local.recipes.base import Context
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.stack import model
from alpesctl.stack.model import Mount, Port, Service, Spec
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[4]
CONF = (ROOT / "compose" / "nginx" / "tracking.conf").read_text()


def context(folder: Path, service: Service, *, broker: model.Pulsar | None = None) -> Context:
    """One replica of the service, in a project of its own."""
    state = ProjectState(folder / "state", "shop")
    state.ensure()
    spec = Spec("shop", folder, (), {service.name: service}, pulsar=broker)
    replica = state.replica_folder(service.name, 1)
    return Context(spec, service, 1, replica, state, PortBook(state), folder / "cache", None)


def keeping(folder: Path, *mounts: Mount) -> Path:
    """Where a program that keeps its data at /var/lib/db keeps it, from the project's folder."""
    made = context(folder, Service("db", "db", (), {}, mounts=mounts))
    return made.volume("/var/lib/db").relative_to(made.state.folder)


def test_nginx_balances_over_the_running_replicas_on_loopback() -> None:
    text = nginx.translate(CONF, Path("/run/x"), {8040: 9040}, {("tracking", 8010): [8011, 8013]})
    assert "server 127.0.0.1:8011 max_fails=1 fail_timeout=2s;" in text
    assert "server 127.0.0.1:8013 max_fails=1 fail_timeout=2s;" in text
    assert "listen 127.0.0.1:9040 reuseport" in text
    assert 'pid "/run/x/nginx.pid";' in text
    assert "resolve" not in "".join(line for line in text.splitlines() if "#" not in line)


def test_nginx_without_a_replica_still_starts() -> None:
    text = nginx.translate(CONF, Path("/run/x"), {8040: 9040}, {})
    assert "server 127.0.0.1:9 down;" in text


def test_nginx_knows_whom_it_balances_over() -> None:
    assert nginx.servers(CONF) == {("tracking", 8010)}


def test_pulsar_takes_its_settings_from_the_environment_and_stays_on_loopback() -> None:
    original = "brokerServicePort=6650\njournalSyncData=false\nbindAddress=0.0.0.0\n# comment\nlastKey=a"
    text = pulsar.configuration(
        original,
        {
            "journalSyncData": "true",
            "PULSAR_PREFIX_added": "yes",
            "PULSAR_MEM": "-Xmx1g",
            "PULSAR_PREFIX_advertisedListeners": "internal:pulsar://pulsar:6650",
            "PULSAR_PREFIX_bookieId": "pulsar:3181",
        },
        broker=7001,
        admin=7002,
    )
    lines = text.splitlines()
    for expected in (
        "brokerServicePort=7001",
        "webServicePort=7002",
        "journalSyncData=true",
        "bindAddress=127.0.0.1",
        "added=yes",
        "lastKey=a",
    ):
        assert lines.count(expected) == 1
    assert any(line.startswith("listeningInterface=lo") for line in lines)
    assert "PULSAR_MEM" not in text
    assert "advertisedListeners" not in text
    assert "bookieId" not in text
    assert "journalSyncData=false" not in text


def test_pulsars_tools_find_their_own_broker() -> None:
    original = "webServiceUrl=http://localhost:8080/\nbrokerServiceUrl=pulsar://localhost:6650/\n# kept\nauthPlugin="
    lines = pulsar.client_configuration(original, broker=7001, admin=7002).splitlines()
    assert sorted(lines) == [
        "# kept",
        "authPlugin=",
        "brokerServiceUrl=pulsar://127.0.0.1:7001/",
        "webServiceUrl=http://127.0.0.1:7002/",
    ]


def test_the_broker_must_listen_on_the_port_that_is_published_for_its_clients(tmp_path: Path) -> None:
    plain, admin, outside = free_ports(3)
    published = (Port(6650, plain, plain), Port(8080, admin, admin))
    bus = Service("bus", "", (), {}, ports=published)
    assert pulsar.listeners(context(tmp_path / "plain", bus)) == {6650: plain, 8080: admin}
    second = Service("bus", "", (), {}, ports=(*published, Port(6651, outside, outside)), external={6650: 6651})
    assert pulsar.listeners(context(tmp_path / "second", second)) == {6651: outside, 8080: admin}


def test_the_broker_must_listen_where_the_stack_says_that_it_does(tmp_path: Path) -> None:
    broker, admin = free_ports(2)
    bus = Service("bus", "", (), {}, ports=(Port(7650, broker, broker), Port(7080, admin, admin)))
    declared = model.Pulsar("bus", broker_port=7650, admin_port=7080, namespace="public/default")
    made = context(tmp_path, bus, broker=declared)
    assert list(pulsar.listeners(made).items()) == [(7650, broker), (7080, admin)]
    assert made.port_of("bus", 7650) == broker


def test_pulsars_flags_come_from_the_compose_file() -> None:
    command = ("bash", "-c", "bin/apply.py conf && exec bin/pulsar standalone --no-functions-worker -nss")
    assert pulsar.standalone_arguments(command) == ["standalone", "--no-functions-worker", "-nss"]


def test_postgres_takes_the_arguments_of_initdb_as_the_official_image_does() -> None:
    plain = postgres.cluster_arguments({})
    given = postgres.cluster_arguments({"POSTGRES_INITDB_ARGS": "--locale=C --builtin-locale='C.UTF-8'"})
    assert given == (*plain, "--locale=C", "--builtin-locale=C.UTF-8")
    with pytest.raises(ComposeError, match="POSTGRES_INITDB_ARGS"):
        postgres.cluster_arguments({"POSTGRES_INITDB_ARGS": "--locale='C"})


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(ComposeError, match="nginx, postgres, pulsar"):
        recipe("redis")


@pytest.mark.parametrize(
    ("targets", "folder"),
    [
        ((), "replicas/db-1/data"),
        (("/var/lib/db",), "volumes/v0"),
        (("/var/lib/db/",), "volumes/v0"),
        (("/var/lib/db/data",), "volumes/v0"),
        (("/var/lib",), "volumes/v0/db"),
        (("/", "/var/lib", "/backup"), "volumes/v1/db"),
        (("/backup", "/var/lib/db/data"), "volumes/v1"),
        (("/var/lib/db/data", "/var/lib/db"), "volumes/v1"),
    ],
)
def test_data_must_be_kept_in_the_volume_that_is_mounted_there_above_or_below(
    tmp_path: Path, targets: tuple[str, ...], folder: str
) -> None:
    mounts = (Mount("volume", f"v{index}", target) for index, target in enumerate(targets))
    assert keeping(tmp_path, *mounts) == Path(folder)


@pytest.mark.parametrize("target", ["/backup", "/var/lib/dbs", "/var/lib/d", "/data/var/lib/db"])
def test_a_volume_elsewhere_must_be_refused_before_data_is_lost(tmp_path: Path, target: str) -> None:
    with pytest.raises(ComposeError) as caught:
        keeping(tmp_path, Mount("volume", "data", target))
    assert (caught.value.what, caught.value.out) == (
        "services.db.volumes: no volume holds /var/lib/db",
        "mount a named volume there: NAME:/var/lib/db",
    )
    assert f"lost with the replica; volumes are at {target}" in caught.value.why


def test_a_folder_of_this_machine_must_be_refused_where_data_lies_and_files_must_not(tmp_path: Path) -> None:
    with pytest.raises(ComposeError, match="lost with the replica; /var/lib/db/data is a folder of this machine"):
        keeping(tmp_path, Mount("bind", str(tmp_path / "not there yet"), "/var/lib/db/data"))
    (tmp_path / "db.conf").touch()
    file = Mount("bind", str(tmp_path / "db.conf"), "/var/lib/db/db.conf")
    assert keeping(tmp_path, file) == Path("replicas/db-1/data")
    assert keeping(tmp_path, Mount("bind", str(tmp_path), "/docker-entrypoint-initdb.d")) == Path("replicas/db-1/data")
