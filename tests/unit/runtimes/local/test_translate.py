import pytest

from alpesctl.errors import ComposeError
from alpesctl.runtimes.local import translate
from alpesctl.stack.model import Service

SERVICES = {
    name: Service(name, "", (), {}, replicas=3 if name == "tracking" else 1)
    for name in ("pulsar", "tracking", "tracking_db")
}


def port_of(service: str, port: int) -> int:
    return {"pulsar": 10_000, "tracking_db": 20_000}[service] + port


def hosts(text: str) -> str:
    return translate.hosts(text, SERVICES, port_of, where="here")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pulsar://pulsar:6650", "pulsar://127.0.0.1:16650"),
        (
            "postgresql+psycopg2://app:app@tracking_db:5432/app",
            "postgresql+psycopg2://app:app@127.0.0.1:25432/app",
        ),
        ("pulsar:6650,tracking_db:5432", "127.0.0.1:16650,127.0.0.1:25432"),
        ("http://pulsar:8080/admin/pulsar", "http://127.0.0.1:18080/admin/pulsar"),
        ("commands.tracking", "commands.tracking"),
        ("tracking-svc", "tracking-svc"),
        ("services.tracking.serve", "services.tracking.serve"),
        ("http://other:80/tracking/health", "http://other:80/tracking/health"),
        ("tracking", "tracking"),
        ("mypulsar:6650", "mypulsar:6650"),
        ("pulsar:6650x", "pulsar:6650x"),
    ],
)
def test_whole_tokens_in_the_place_of_a_host_are_translated(text: str, expected: str) -> None:
    assert hosts(text) == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("http://tracking:8010/", "3 replicas"),
        ("http://pulsar/admin", "without a port"),
        ("a@pulsar", "without a port"),
    ],
)
def test_an_ambiguity_is_an_error(text: str, word: str) -> None:
    with pytest.raises(ComposeError, match=word):
        hosts(text)


def test_a_variable_for_a_host_may_hold_just_the_name() -> None:
    found = translate.environment({"DB_HOST": "tracking_db", "NAME": "pulsar"}, SERVICES, port_of, where="services.web")
    assert found == {"DB_HOST": "127.0.0.1", "NAME": "pulsar"}


def test_a_replicas_own_loopback_address_gets_its_host_port() -> None:
    assert translate.own_port("http://127.0.0.1:8010/health", {8010: 8012}) == "http://127.0.0.1:8012/health"
    assert translate.own_port("localhost:9", {8010: 8012}) == "localhost:9"
