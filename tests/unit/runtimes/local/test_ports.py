import os
import socket
from pathlib import Path

import pytest

from alpesctl.errors import MachineError
from alpesctl.runtimes.local.ports import PortBook
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.stack.model import Port, Service


@pytest.fixture
def book(tmp_path: Path) -> PortBook:
    state = ProjectState(tmp_path, "p")
    state.ensure()
    return PortBook(state)


def listening() -> tuple[socket.socket, int]:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server, int(server.getsockname()[1])


def test_the_lowest_free_port_of_the_range_and_the_same_again(book: PortBook) -> None:
    server, port = listening()
    with server:
        service = Service("web", "", (), {}, ports=(Port(80, port, min(65535, port + 20)),))
        first = book.assign(service, 1, 80)
        assert port < first <= port + 20
        assert book.assign(service, 1, 80) == first
        assert book.assign(service, 2, 80) > first


def test_a_taken_port_says_who_holds_it(book: PortBook) -> None:
    server, port = listening()
    with server, pytest.raises(MachineError) as caught:
        book.assign(Service("web", "", (), {}, ports=(Port(80, port, port),)), 1, 80)
    assert str(port) in str(caught.value)
    assert f"(process {os.getpid()})" in str(caught.value)
    assert caught.value.exit_code == 4


def test_the_port_for_clients_outside_stands_for_the_one_inside(book: PortBook) -> None:
    service = Service("pulsar", "", (), {}, external={6650: 6651})
    assert book.assign(service, 1, 6650) == book.assign(service, 1, 6651)
