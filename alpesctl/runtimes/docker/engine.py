"""The connection to a Docker engine, and its errors in our words. The only place that makes a client."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import docker
import requests
from docker.credentials.errors import StoreError
from docker.errors import APIError, DockerException
from urllib3.exceptions import HTTPError

from alpesctl.errors import AlpesError, MachineError, StackDownError

_TIMEOUT = 60.0
_PING_TIMEOUT = 3.0
FOREVER = 10.0**9
_P = ParamSpec("_P")
_T = TypeVar("_T")

WAY_OUT = (
    "start it (systemctl start docker, or dockerd as root); where there is none, on Debian and Ubuntu: "
    "apt-get install -y --no-install-recommends docker.io debootstrap; without one: --runtime local"
)


def connect(*, timeout: float = _TIMEOUT) -> docker.APIClient:
    """A client of the engine that DOCKER_HOST or Docker's current context names.

    `timeout` (seconds) bounds every single answer. Raises MachineError where no engine answers.
    """
    try:
        return docker.DockerClient.from_env(timeout=timeout).api  # type: ignore[arg-type]  # the stub knows whole seconds only
    except (DockerException, requests.RequestException, HTTPError, OSError) as error:
        raise no_engine(error) from error
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        # DOCKER_HOST or Docker's own config.json holds what the SDK can't read.
        raise MachineError(
            "Docker's settings can't be understood",
            why=f"{type(error).__name__}: {error}",
            out="correct DOCKER_HOST, the Docker context or ~/.docker/config.json; without Docker: --runtime local",
        ) from error


def is_local(api: docker.APIClient) -> bool:
    """Whether the engine is on this machine, and so sees the same folders."""
    return str(api.base_url).startswith("http+docker")


def answers() -> bool:
    """Whether an engine answers, within three seconds."""
    try:
        client = connect(timeout=_PING_TIMEOUT)
    except MachineError:
        return False
    client.close()
    return True


def no_engine(error: BaseException) -> MachineError:
    """The error of an engine that doesn't answer."""
    return MachineError("the Docker engine does not answer", why=_reason(error), out=WAY_OUT)


def _reason(error: BaseException) -> str:
    text = str(error)
    for mark, words in (
        ("FileNotFoundError", "its socket is not there"),
        ("No such file", "its socket is not there"),
        ("ConnectionRefusedError", "nobody listens at its socket"),
        ("Connection refused", "nobody listens at its socket"),
        ("PermissionError", "this user may not open its socket; is the user in the group docker?"),
        ("Permission denied", "this user may not open its socket; is the user in the group docker?"),
        ("timed out", "it took too long"),
        ("RemoteDisconnected", "it closed the connection"),
        ("Connection aborted", "it closed the connection"),
    ):
        if mark in text:
            return words
    return text.splitlines()[0] if text else type(error).__name__


def translate(error: Exception) -> AlpesError:
    """An SDK's error as one of ours."""
    if isinstance(error, APIError):
        words = str(error.explanation or error).strip()
        if error.status_code == 404:
            return StackDownError("the engine has no such thing", why=words, out="alpesctl status shows what there is")
        return MachineError("the Docker engine refused", why=words, out="alpesctl status; docker info")
    if isinstance(error, StoreError):
        return MachineError(
            "the program that keeps Docker's credentials failed",
            why=str(error),
            out="mend or remove credsStore and credHelpers in ~/.docker/config.json",
        )
    return no_engine(error)


ERRORS = (DockerException, requests.RequestException, HTTPError, StoreError)
"""What the SDK raises."""


def at_the_edge(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Decorates what calls the SDK: its errors come out as ours."""

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except ERRORS as error:
            raise translate(error) from error

    return guarded


def stream_at_the_edge(function: Callable[_P, Iterator[_T]]) -> Callable[_P, Iterator[_T]]:
    """The same for a generator."""

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[_T]:
        try:
            yield from function(*args, **kwargs)
        except ERRORS as error:
            raise translate(error) from error

    return guarded
