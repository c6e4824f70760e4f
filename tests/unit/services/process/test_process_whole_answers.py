"""A process that is killed must have sent an answer whole or not at all: each must be one write."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from uvicorn.server import ServerState

from services.process.serving import config

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Recorder(asyncio.Transport):
    """A connection that keeps what is written, a write each."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def answer(pieces: list[bytes], headers: list[tuple[bytes, bytes]]) -> Any:
    """An application whose answer's body comes in these pieces."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return application


def opened(application: Any) -> tuple[Any, Recorder, ServerState]:
    """A connection's protocol, what is written to it, and the server's state. Inside an event loop."""
    uvicorn_config = config(application, "127.0.0.1", 1)
    uvicorn_config.load()
    state, transport = ServerState(), Recorder()
    protocol = uvicorn_config.http_protocol_class(uvicorn_config, state, {})
    protocol.connection_made(transport)
    return protocol, transport, state


def written(application: Any, *requests: bytes) -> Recorder:
    """What is written to a connection on which these requests come, one after the other's answer."""

    async def go() -> Recorder:
        protocol, transport, state = opened(application)
        for request in requests:
            protocol.data_received(request)
            while state.tasks:
                await asyncio.gather(*state.tasks)
                await asyncio.sleep(0)
        protocol.connection_lost(None)
        return transport

    return asyncio.run(go())


def test_head_and_body_must_leave_together() -> None:
    found = written(answer([b"body"], [(b"content-length", b"4")]), GET, GET).written
    whole = b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nbody"
    assert [each for each in found if each] == [whole, whole]


def test_an_answer_without_a_body_must_leave_too() -> None:
    found = written(answer([], [(b"content-length", b"4")]), b"HEAD" + GET[3:], GET[:-2] + b"Connection: close\r\n\r\n")
    assert found.written[0] == b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\n"


def test_a_long_answer_must_not_be_held_to_its_end() -> None:
    found = written(answer([b"one", b"HTTP/1.1 "], []), GET).written
    assert found[0].endswith(b"\r\n\r\n3\r\none\r\n")
    assert found[1:] == [b"9\r\nHTTP/1.1 \r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize("request_", [GET[:-2] + b"Connection: close\r\n\r\n", b"nonsense\r\n\r\n"])
def test_a_connection_that_is_closed_must_have_had_its_answer(request_: bytes) -> None:
    found = written(answer([b"body"], [(b"content-length", b"4")]), request_)
    assert found.closed
    (only,) = (each for each in found.written if each)
    assert only.startswith(b"HTTP/1.1 ") and only.count(b"\r\n\r\n") == 1


def test_what_asks_for_the_rest_of_a_request_must_not_wait() -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

    async def go() -> list[bytes]:
        protocol, transport, _ = opened(answer([b"body"], [(b"content-length", b"4")]))
        protocol.data_received(request)
        while not transport.written:
            await asyncio.sleep(0)
        asked = list(transport.written)
        protocol.data_received(b"{}")
        while len(transport.written) < 2:
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        return asked

    assert asyncio.run(asyncio.wait_for(go(), 5)) == [b"HTTP/1.1 100 Continue\r\n\r\n"]
