"""What tracking answers must be what its OpenAPI says, whatever it is sent: 2,000 cases, made by schemathesis.

What takes the time is making them: hypothesis' search for small and for large ones, without which this does, takes
three times as long as the rest.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

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
# An operation without parameters has one case; five operations in two modes make the rest.
EACH = CASES // 10
CHECKS = [
    not_a_server_error,
    documented.status_code_conformance,
    documented.content_type_conformance,
    documented.response_headers_conformance,
    documented.response_schema_conformance,
]


def test_whatever_is_sent_must_be_answered_as_documented(stack: Stack) -> None:
    before = stack.settled()
    schema = schemathesis.openapi.from_url(stack.url("tracking", 8010, "/tracking/openapi.json"))
    session = requests.Session()
    answers: Counter[tuple[str, int]] = Counter()

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
                max_examples=EACH,
                phases=[Phase.generate],
                database=None,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            )(given(case=operation.as_strategy(generation_mode=mode))(answering(name)))
            try:
                check()
            except Unsatisfiable:
                # Nothing can be wrong with a request that has neither parameters nor a body.
                assert name in {"GET /tracking/health", "GET /tracking/health/ready"}
    assert answers.total() >= CASES, answers
    assert answers["POST /tracking/interactions", 201] > EACH / 10
    assert answers["POST /tracking/interactions/batch", 201] > EACH / 10
    assert stack.settled() > before
