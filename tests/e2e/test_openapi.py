"""What services answer must be what their OpenAPI says, whatever they are sent: 2,000 cases, made by schemathesis.

What takes the time is making them: hypothesis' search for small and for large ones, without which this does, takes
three times as long as the rest.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as documented

from tests.e2e.conftest import Stack
from tests.engine import ONE_RUNTIME

pytestmark = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")

# By hand: ALPES_TEST_CASES=2000 pytest tests/e2e/test_openapi.py
CASES = int(os.environ.get("ALPES_TEST_CASES", "600"))
CHECKS = [
    not_a_server_error,
    documented.status_code_conformance,
    documented.content_type_conformance,
    documented.response_headers_conformance,
    documented.response_schema_conformance,
]


def answers_to_everything(stack: Stack, service: str, port: int, each: int, without_cases: set[str]) -> Counter[Any]:
    """Send a service up to `each` cases an operation and mode, each answer checked; count answers by operation and
    status. `without_cases` are the operations with nothing that could be wrong: no parameters, no body."""
    schema = schemathesis.openapi.from_url(stack.url(service, port, f"/{service}/openapi.json"))
    session = requests.Session()
    answers: Counter[Any] = Counter()

    def answering(name: str) -> Callable[[Case], None]:
        def run(case: Case) -> None:
            answer = case.call_and_validate(session=session, checks=CHECKS)
            answers[name, answer.status_code] += 1

        return run

    for found in schema.get_all_operations():
        operation = found.ok()
        name = f"{operation.method.upper()} {operation.path}"
        for mode in GenerationMode:
            check = settings(
                max_examples=each,
                phases=[Phase.generate],
                database=None,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            )(given(case=operation.as_strategy(generation_mode=mode))(answering(name)))
            try:
                check()
            except Unsatisfiable:
                assert name in without_cases
    return answers


def test_whatever_is_sent_to_tracking_must_be_answered_as_documented(stack: Stack) -> None:
    # Five operations in two modes make nearly all of them.
    before, each = stack.settled(), CASES // 10
    without = {"GET /tracking/health", "GET /tracking/health/ready"}
    answers = answers_to_everything(stack, "tracking", 8010, each, without)
    assert answers.total() >= CASES, answers
    assert answers["POST /tracking/interactions", 201] > each / 10
    assert answers["POST /tracking/interactions/batch", 201] > each / 10
    assert stack.settled() > before


def test_whatever_is_sent_to_affiliates_must_be_answered_as_documented(stack: Stack) -> None:
    # Eleven operations in two modes make nearly all of them.
    each = CASES // 20
    without = {f"GET /affiliates/{path}" for path in ("health", "health/ready", "stats")}
    answers = answers_to_everything(stack, "affiliates", 8000, each, without)
    assert answers.total() >= CASES, answers
    assert answers["POST /affiliates/", 202] > each / 10
    assert answers["POST /affiliates/posts", 202] > each / 10
    assert answers["POST /affiliates/{affiliate_id}/activate", 202] > each / 10
