"""The health check must tell 200 from everything else, over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from services.process.probe import healthy


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers one request with whatever stands in the list first."""
    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answers[0])

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/health", answers
        thread.join()


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n{}", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n200", False),
        (b"HTTP/1.1 2000\r\n\r\n", False),
        (b"200", False),
        (b"", False),
    ],
)
def test_only_200_is_well(server: tuple[str, list[bytes]], answer: bytes, well: bool) -> None:
    url, answers = server
    answers.append(answer)
    assert healthy(url) is well


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://127.0.0.1/", "nonsense"])
def test_where_nobody_answers_nothing_is_well(url: str) -> None:
    assert healthy(url) is False
