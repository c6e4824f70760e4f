"""Which runtimes the tests run on: local always, docker where an engine answers. Starts no engine."""

from __future__ import annotations

import functools
import gc
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import docker
import requests
from docker.errors import DockerException, ImageNotFound

_TIMEOUT = 5.0  # seconds


@contextmanager
def engine() -> Iterator[docker.DockerClient]:
    """A client of the engine, closed at the end."""
    client = docker.from_env(timeout=_TIMEOUT)
    try:
        yield client
    finally:
        client.close()


@functools.cache
def engine_answers() -> bool:
    """Whether an engine answers within a few seconds; asked once a process."""
    with warnings.catch_warnings():
        # The SDK leaves the socket open that found no engine: it is collected here, not in the midst of a test.
        warnings.simplefilter("ignore", ResourceWarning)
        answers = _answers()
        gc.collect()
    return answers


def _answers() -> bool:
    try:
        with engine() as client:
            return bool(client.ping())
    except (DockerException, requests.RequestException, OSError):
        return False


def missing_images(names: Collection[str]) -> list[str]:
    """Those of the images that the engine doesn't hold."""
    absent = []
    with engine() as client:
        for name in names:
            try:
                client.images.get(name)
            except ImageNotFound:
                absent.append(name)
    return absent


RUNTIMES: list[str] = ["local", *(["docker"] if engine_answers() else [])]
# What no runtime has a part in is tested on one.
ONE_RUNTIME = RUNTIMES[:1]
