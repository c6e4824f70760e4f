"""Load over HTTP: POSTs on a bounded number of connections, answers awaited. An adapter; never retries.

An event waits for a free connection after it is due; that wait is in its latency, and, past half a second, in
the generator's punctuality.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from alpesctl.experiments.generator import TICK, Stretch
from alpesctl.experiments.ids import as_text
from alpesctl.experiments.ledger import Outcome
from alpesctl.experiments.model import Load
from alpesctl.experiments.template import InTurn

if TYPE_CHECKING:
    import aiohttp


def classify(status: int, body: bytes, load: Load) -> tuple[Outcome, str]:
    """The outcome of an answer, and what to note about it."""
    if status in load.accepted:
        return Outcome.ACCEPTED, ""
    problem = problem_type(body) if status >= 400 else ""
    note = f"{status} {problem}".strip()
    if 400 <= status < 500:
        return Outcome.REFUSED, note
    if status == 503 and load.refused_problem and problem == load.refused_problem:
        return Outcome.REFUSED_IF_ALONE, note
    return Outcome.IN_DOUBT, note


def problem_type(body: bytes) -> str:
    """The last part of an RFC 9457 problem's type; empty where there is none."""
    try:
        kind = json.loads(body)["type"]
    except (ValueError, KeyError, TypeError):
        return ""
    return kind.replace(":", "/").rstrip("/").rsplit("/", 1)[-1] if isinstance(kind, str) else ""


class HttpLoad:
    """`url` is the target as this machine reaches it. Used like PulsarLoad."""

    def __init__(self, url: str, load: Load) -> None:
        self._url = url
        self._load = load
        self._event = InTurn(load.events)

    def __enter__(self) -> HttpLoad:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def run(self, stretch: Stretch) -> None:
        """Send the stretch's events when they are due, then wait for the last answers."""
        asyncio.run(self._run(stretch))

    async def _run(self, stretch: Stretch) -> None:
        import aiohttp  # deferred: 150 ms, and only a run over HTTP needs it

        waiting: deque[int] = deque()
        wake = asyncio.Semaphore(0)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=self._load.timeout),
        )
        async with session:
            senders = [
                asyncio.create_task(self._sender(session, stretch, waiting, wake))
                for _ in range(self._load.connections)
            ]
            try:
                await self._pace(stretch, waiting, wake)
                for _ in senders:
                    waiting.append(-1)
                    wake.release()
                await asyncio.gather(*senders)
            finally:
                for sender in senders:
                    sender.cancel()
                await asyncio.gather(*senders, return_exceptions=True)

    async def _pace(self, stretch: Stretch, waiting: deque[int], wake: asyncio.Semaphore) -> None:
        schedule, clock = stretch.schedule, stretch.clock
        done = 0
        while done < schedule.count and not stretch.stop.is_set():
            due = schedule.due_by(clock.now())
            while done < due:
                waiting.append(done)
                wake.release()
                done += 1
            if done < schedule.count:
                await asyncio.sleep(min(2 * TICK, max(0.0, schedule.due(done) - clock.now())))

    async def _sender(
        self, session: aiohttp.ClientSession, stretch: Stretch, waiting: deque[int], wake: asyncio.Semaphore
    ) -> None:
        while True:
            await wake.acquire()
            number = waiting.popleft()
            if number < 0:
                return
            await self._send(session, stretch, number)

    async def _send(self, session: aiohttp.ClientSession, stretch: Stretch, number: int) -> None:
        ledger, index, clock = stretch.ledger, stretch.first + number, stretch.clock
        event_id = as_text(ledger.ids[16 * index : 16 * index + 16])
        event = self._event(number, event_id)
        headers = {"Content-Type": "application/json", **event.headers}
        now = clock.now()
        ledger.send(index, stretch.schedule.due(number) if stretch.schedule.rate else now, now)
        request: dict[str, Any] = {"data": event.body, "headers": headers}
        outcome, note = Outcome.IN_DOUBT, "no answer"
        try:
            async with session.request(self._load.method, self._url, allow_redirects=False, **request) as answer:
                body = await answer.read()
                outcome, note = classify(answer.status, body, self._load)
        except TimeoutError:
            note = "timeout"
        except (OSError, _client_error()) as error:
            note = type(error).__name__
        finally:
            with suppress(OverflowError):
                ledger.answer(index, outcome, clock.now(), note)


def _client_error() -> type[Exception]:
    import aiohttp

    return aiohttp.ClientError
