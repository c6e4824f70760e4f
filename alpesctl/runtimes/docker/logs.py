"""Containers' logs as lines with their times, one after the other or followed together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import docker
from docker.errors import APIError, NotFound

from alpesctl.runtimes.base import LogLine
from alpesctl.runtimes.docker.engine import ERRORS

_LOOK = 1.0  # seconds between looks for containers that were started meanwhile
_AFTER = timedelta(microseconds=1)
Running = Callable[[], Mapping[str, str]]
"""The containers that run: id → the replica's name."""


def read(
    api: docker.APIClient,
    container: str,
    replica: str,
    *,
    since: datetime | None,
    tail: int | None,
    until: datetime | None = None,
) -> Iterator[LogLine]:
    """The lines of one container, the oldest first; none of one that was removed meanwhile."""
    with suppress(NotFound), _frames(api, container, _options(since, tail, until), follow=False) as frames:
        for line in lines(frames):
            yield parse(replica, line)


def lines(frames: Iterable[bytes]) -> Iterator[str]:
    """Whole lines from the engine's frames. It cuts lines at 16 KiB, and each piece has a time of its own."""
    whole = b""
    for frame in frames:
        # A frame that goes on with a line repeats the time, which is no part of the text.
        whole += frame.partition(b" ")[2] if whole else frame
        if whole.endswith(b"\n"):
            yield from whole[:-1].decode(errors="replace").split("\n")
            whole = b""
    if whole:
        yield whole.decode(errors="replace")


@contextmanager
def _frames(
    api: docker.APIClient, container: str, options: Mapping[str, Any], *, follow: bool
) -> Iterator[Iterator[bytes]]:
    """The frames of a log; the connection is closed afterwards, which the SDK leaves to chance."""
    stream = api.logs(container, **options, stream=True, follow=follow)
    try:
        yield stream
    finally:
        stream._response.close()  # type: ignore[attr-defined]


def parse(replica: str, line: str) -> LogLine:
    """A line as the engine gives it: its time, a space, the text."""
    stamp, _, text = line.partition(" ")
    try:
        at = datetime.fromisoformat(stamp.replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return LogLine(replica, line)
    return LogLine(replica, text.rstrip("\r"), at)


def follow(connect: Callable[[], docker.APIClient], running: Running, since: datetime) -> Iterator[LogLine]:
    """New lines of all containers as they come, those of containers started meanwhile too; never ends.

    Raises what the SDK raises once the engine is gone.
    """
    arrived: queue.Queue[LogLine | BaseException | _Ended] = queue.Queue(maxsize=10_000)
    followed: set[str] = set()
    last: dict[str, datetime] = {}  # by container: up to when its lines were read
    looked = -_LOOK
    while True:
        if time.monotonic() - looked >= _LOOK:
            for container, replica in running().items():
                if container not in followed:
                    followed.add(container)
                    _Follower(connect(), container, replica, last.get(container, since), arrived).start()
            looked = time.monotonic()
        try:
            found = arrived.get(timeout=_LOOK)
        except queue.Empty:
            continue
        if isinstance(found, LogLine):
            yield found
        elif isinstance(found, _Ended):  # it is followed again once it runs
            followed.discard(found.container)
            last[found.container] = found.last + _AFTER
        else:
            raise found


@dataclass(frozen=True)
class _Ended:
    """A container's stream ended; `last` is the time of its last line."""

    container: str
    last: datetime


class _Follower(threading.Thread):
    """Reads one container's stream into the queue; says so when it ends."""

    def __init__(
        self, api: docker.APIClient, container: str, replica: str, since: datetime, lines: queue.Queue[Any]
    ) -> None:
        super().__init__(daemon=True)
        self._api = api
        self._container = container
        self._replica = replica
        self._since = since
        self._lines = lines

    def run(self) -> None:
        last = self._since
        try:
            with _frames(self._api, self._container, _options(self._since), follow=True) as frames:
                for text in lines(frames):
                    line = parse(self._replica, text)
                    last = line.at or last
                    self._lines.put(line)
        except APIError:  # removed meanwhile
            pass
        except (*ERRORS, OSError) as error:
            self._lines.put(error)
        finally:
            self._lines.put(_Ended(self._container, last))
            self._api.close()


def _options(since: datetime | None, tail: int | None = None, until: datetime | None = None) -> dict[str, Any]:
    options: dict[str, Any] = {"stdout": True, "stderr": True, "timestamps": True}
    options["tail"] = "all" if tail is None else tail
    if since is not None:
        options["since"] = since.timestamp()
    if until is not None:
        options["until"] = until.timestamp()
    return options
