"""Waits for the broker when a worker begins."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from services.messaging.broker import Commands
from services.messaging.link import BrokerAway
from services.process.stop import Stop

RETRY_S = 0.5

log = structlog.get_logger()


def patiently(subscribe: Callable[[], Commands], stopping: Stop) -> Commands | None:
    """The consumer, once the broker answers; None if told to stop before."""
    while not stopping.is_set():
        try:
            return subscribe()
        except BrokerAway as error:
            log.warning("waiting for the broker", error=str(error))
            stopping.wait(RETRY_S)
    return None
