"""Whatever is wrong with an engine or with how it is reached must come out as one of our errors."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from docker.credentials.errors import StoreError
from docker.errors import APIError, NotFound

from alpesctl.errors import MachineError, StackDownError
from alpesctl.runtimes.docker import engine, inventory

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket.socket fd=.*, family=1,:ResourceWarning")


@pytest.fixture(autouse=True)
def sockets_of_its_own() -> Iterator[None]:
    """What the SDK leaves open is collected here, not under some later test."""
    yield
    gc.collect()


@pytest.mark.parametrize("url", ["tcp://h:99999", "tcp://[::1", "nonsense://x", "unix:///no/such/socket"])
def test_a_docker_host_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", url)
    with pytest.raises(MachineError) as caught:
        engine.connect()
    assert caught.value.out
    assert engine.answers() is False


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (requests.exceptions.ConnectionError("Connection aborted."), MachineError, "it closed the connection"),
        (requests.exceptions.ReadTimeout("Read timed out."), MachineError, "it took too long"),
        (NotFound("no such container"), StackDownError, "has no such thing"),
        (APIError("boom"), MachineError, "refused"),
        (StoreError("docker-credential-desktop not installed"), MachineError, "credentials"),
    ],
)
def test_what_the_sdk_raises(error: Exception, kind: type[Exception], words: str) -> None:
    if isinstance(error, NotFound):
        error.response = requests.Response()
        error.response.status_code = 404

    @engine.at_the_edge
    def call() -> None:
        raise error

    with pytest.raises(kind, match=words):
        call()


def test_a_folder_is_anothers_unless_it_is_surely_gone(tmp_path: Path) -> None:
    ours, gone, link = tmp_path / "ours", tmp_path / "gone", tmp_path / "link"
    ours.mkdir()
    link.symlink_to(ours)
    assert not inventory._another(ours, ours, on_this_machine=True)
    assert not inventory._another(link, ours, on_this_machine=True)
    assert inventory._another(tmp_path, ours, on_this_machine=True)
    assert not inventory._another(gone, ours, on_this_machine=True)
    assert inventory._another(gone, ours, on_this_machine=False), "another machine's folder can't be seen from here"


def test_a_folder_that_may_not_be_looked_at_is_anothers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forbidden(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", forbidden)
    assert inventory._another(Path("/root/alpesctl"), tmp_path, on_this_machine=True)
