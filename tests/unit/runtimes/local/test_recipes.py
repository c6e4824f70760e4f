from pathlib import Path

import pytest

from alpesctl.errors import ComposeError
from alpesctl.runtimes.local.recipes import nginx, postgres, pulsar, recipe

ROOT = Path(__file__).resolve().parents[4]
CONF = (ROOT / "compose" / "nginx" / "tracking.conf").read_text()


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
