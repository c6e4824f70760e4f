"""How answers and receipts become accepted, refused or in doubt."""

import json

import pytest

from alpesctl.experiments import http_load, pulsar_load
from alpesctl.experiments.ledger import Outcome
from alpesctl.experiments.model import Load

LOAD = Load("http", "open", "http://x:1/", 1.0, 1, refused_problem="nothing-attempted")


def problem(kind: str) -> bytes:
    return json.dumps({"type": kind, "title": "x"}).encode()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (201, b"{}", Outcome.ACCEPTED),
        (200, b"{}", Outcome.IN_DOUBT),
        (202, b"{}", Outcome.IN_DOUBT),
        (302, b"", Outcome.IN_DOUBT),
        (400, b"", Outcome.REFUSED),
        (404, b"", Outcome.REFUSED),
        (429, b"", Outcome.REFUSED),
        (499, b"", Outcome.REFUSED),
        (500, b"", Outcome.IN_DOUBT),
        (502, b"<html>", Outcome.IN_DOUBT),
        (504, b"", Outcome.IN_DOUBT),
        (503, b"", Outcome.IN_DOUBT),
        (503, problem("https://errors.example/unavailable"), Outcome.IN_DOUBT),
        (503, b'{"type": ["nothing-attempted"]}', Outcome.IN_DOUBT),
        (503, b"nothing-attempted", Outcome.IN_DOUBT),
        (503, problem("https://errors.example/nothing-attempted"), Outcome.REFUSED_IF_ALONE),
        (503, problem("urn:problem:nothing-attempted"), Outcome.REFUSED_IF_ALONE),
        (500, problem("urn:problem:nothing-attempted"), Outcome.IN_DOUBT),
    ],
)
def test_http(status: int, body: bytes, outcome: Outcome) -> None:
    assert http_load.classify(status, body, LOAD)[0] is outcome


def test_the_note_of_an_answer_names_status_and_problem() -> None:
    assert http_load.classify(503, problem("urn:problem:shed"), LOAD)[1] == "503 shed"
    assert http_load.classify(201, b"{}", LOAD)[1] == ""


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("Ok", Outcome.ACCEPTED),
        ("Timeout", Outcome.IN_DOUBT),
        ("NotConnected", Outcome.IN_DOUBT),
        ("ConnectError", Outcome.IN_DOUBT),
        ("UnknownError", Outcome.IN_DOUBT),
        ("ProducerQueueIsFull", Outcome.REFUSED),
        ("MessageTooBig", Outcome.REFUSED),
    ],
)
def test_pulsar(result: str, outcome: Outcome) -> None:
    assert pulsar_load.classify(result) is outcome
