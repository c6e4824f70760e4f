"""nginx's own errors: problem+json like a replica's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from services.tracking import accepting
from services.tracking.adapters import outbox, publisher
from services.tracking.api import batch, ingest
from services.web import problems

CONF = (Path(__file__).parents[4] / "compose" / "nginx" / "tracking.conf").read_text()


def location(name: str) -> str:
    found = re.search(rf"location {name} {{\n(.*?)\n        }}", CONF, re.DOTALL)
    assert found is not None
    return found[1]


def answering(status: int, place: str) -> str:
    """The location that answers for nginx where it would say `status`."""
    named = re.search(rf"^\s*error_page {status} (@\w+);", location(place), re.MULTILINE)
    assert named is not None
    return location(named[1])


PLACES = ("/", "= /tracking/interactions", "@again")


@pytest.mark.parametrize(
    ("status", "kind", "place"),
    [(413, "too-large", place) for place in PLACES[:2]]
    + [(502, problems.IN_DOUBT, "@again")]
    + [(504, problems.IN_DOUBT, place) for place in PLACES],
)
def test_nginx_speaks_as_a_replica_does(status: int, kind: str, place: str) -> None:
    text = answering(status, place)
    answer = re.search(rf"return {status} '(.*)';", text)
    assert answer is not None
    body = json.loads(answer[1])
    assert (body["type"], body["status"], body["error"]) == (kind, status, body["detail"])
    assert f"default_type {problems.MEDIA_TYPE};" in text
    assert ("add_header Retry-After 1 always;" in text) == (kind == problems.IN_DOUBT)


@pytest.mark.parametrize(("module", "place", "size"), [(ingest, "= /tracking/interactions", "64k"), (batch, "/", "2m")])
def test_nginx_has_and_names_the_replicas_limit(module: ModuleType, place: str, size: str) -> None:
    assert int(size[:-1]) * {"k": 2**10, "m": 2**20}[size[-1]] == module.MAX_BODY
    assert f"client_max_body_size {size};" in (location(place) if "=" in place else CONF)
    assert problems.too_large(module.MAX_BODY).detail in answering(413, place)


def test_nginx_waits_for_as_long_as_a_replica_may_take() -> None:
    waits = re.search(r"proxy_read_timeout (\d+)s;", CONF)
    assert waits is not None
    assert float(waits[1]) > accepting.ANSWER_S + 0.5
    assert outbox.STATEMENT_S >= accepting.ANSWER_S >= publisher.RECEIPT_S + outbox.PAUSE_S


def test_a_replicas_own_problems_pass() -> None:
    assert "proxy_intercept_errors on" not in CONF


def test_a_request_whose_list_of_replicas_is_old_gets_a_new_one_once() -> None:
    for place in PLACES[:2]:
        assert "error_page 502 = @again;" in location(place)
    assert "error_page 502 @no_answer;" in location("@again")
    assert "recursive_error_pages on;" in CONF
