"""nginx's own errors: problem+json like a replica's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from services.tracking.api import problems
from services.tracking.api.ingest import MAX_BODY

CONF = (Path(__file__).parents[4] / "compose" / "nginx" / "tracking.conf").read_text()


def location(status: int) -> str:
    """The location that answers for nginx where it would say `status`."""
    named = re.search(rf"^\s*error_page {status} (@\w+);", CONF, re.MULTILINE)
    assert named is not None
    found = re.search(rf"location {named[1]} {{\n(.*?)\n        }}", CONF, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("status", "kind"), [(413, "too-large"), (502, problems.IN_DOUBT), (504, problems.IN_DOUBT)])
def test_nginx_speaks_as_a_replica_does(status: int, kind: str) -> None:
    text = location(status)
    answer = re.search(rf"return {status} '(.*)';", text)
    assert answer is not None
    body = json.loads(answer[1])
    assert (body["type"], body["status"], body["error"]) == (kind, status, body["detail"])
    assert f"default_type {problems.MEDIA_TYPE};" in text
    assert ("add_header Retry-After 1 always;" in text) == (kind == problems.IN_DOUBT)


def test_nginx_names_the_replicas_limit() -> None:
    assert problems.too_large(MAX_BODY).detail in location(413)


def test_a_replicas_own_problems_pass() -> None:
    assert "proxy_intercept_errors on" not in CONF
