"""A steady stream of POSTs beside a test, through nginx, each with an id of its own; keeps what became of them."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.e2e.conftest import EVENT, Stack


@dataclass
class Steady:
    """Inside, `rate` POSTs a second by `clients` threads, each sent when it is due or as soon as it can be.

    Each request has a connection of its own, as curl's have: one that is kept could be closed by the server
    just as it is used, which is nobody's failure.
    """

    stack: Stack
    rate: float = 400.0
    clients: int = 32
    answers: list[int | str] = field(default_factory=list)

    def __enter__(self) -> Steady:
        self._target = urlsplit(self.stack.url("tracking_nginx", 8040, "/tracking/interactions"))
        self._ended = threading.Event()
        begin = time.monotonic()
        self._threads = [threading.Thread(target=self._client, args=(begin, index)) for index in range(self.clients)]
        for thread in self._threads:
            thread.start()
        return self

    def _client(self, begin: float, index: int) -> None:
        turn = 0
        while True:
            due = begin + (turn * self.clients + index) / self.rate
            if self._ended.wait(max(0.0, due - time.monotonic())):
                break
            turn += 1
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
            connection = http.client.HTTPConnection(self._target.netloc, timeout=15)
            try:
                connection.request("POST", self._target.path, json.dumps(EVENT), headers)
                answer = connection.getresponse()
                answer.read()
                self.answers.append(answer.status)
            except (OSError, http.client.HTTPException) as error:
                self.answers.append(type(error).__name__)
            finally:
                connection.close()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
