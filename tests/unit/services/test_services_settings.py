"""The variables of the user's document, by their names."""

from __future__ import annotations

import pytest

from services.tracking.settings import Settings


def test_a_url_for_psycopg2_runs_on_psycopg_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg2://app:app@tracking_db:5432/app")
    settings = Settings()
    assert settings.conninfo == "postgresql://app:app@tracking_db:5432/app"
    assert settings.sqlalchemy_url == "postgresql+psycopg://app:app@tracking_db:5432/app"


@pytest.mark.parametrize("topic", ["commands.tracking", "persistent://public/default/commands.tracking"])
def test_a_topic_may_be_short(monkeypatch: pytest.MonkeyPatch, topic: str) -> None:
    monkeypatch.setenv("TOPIC_COMMANDS_TRACKING", topic)
    assert Settings().topic == "persistent://public/default/commands.tracking"
    assert Settings().dead_letter_topic == "persistent://public/default/commands.tracking-DLQ"


def test_the_admin_endpoint_is_beside_the_broker_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSAR_URL", "pulsar://broker:6650")
    monkeypatch.delenv("PULSAR_ADMIN_URL", raising=False)
    assert Settings().admin_url == "http://broker:8080"
    monkeypatch.setenv("PULSAR_ADMIN_URL", "http://127.0.0.1:8090")
    assert Settings().admin_url == "http://127.0.0.1:8090"


def test_the_replica_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_REPLICA", "tracking_worker-2")
    monkeypatch.setenv("PORT", "8011")
    assert (Settings().replica, Settings().port) == ("tracking_worker-2", 8011)
