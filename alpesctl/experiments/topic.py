"""The run's hold on its topic, and the topic re-read from the run's start. An adapter; compares nothing.

The hold is a durable subscription of the run's own: without it, acknowledged messages of an unloaded topic
are gone within minutes. Its position is where the re-reading begins.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from alpesctl.errors import AlpesError, StackDownError, UsageError
from alpesctl.experiments.evidence import TopicRead, body_id
from alpesctl.experiments.ids import as_bytes
from alpesctl.experiments.model import Readback
from alpesctl.experiments.record import load_record
from alpesctl.pulsar_admin import PulsarAdmin

HOLD_PREFIX = "alpes-run-"  # subscriptions of this name hold a run's topic; nobody counts them as backlog
READ_TIMEOUT_MS = 30_000
EARLIEST = (-1, -1)  # ledger and entry before every other


class Hold:
    """A durable subscription at the topic's end as it is now, until `release`."""

    def __init__(self, admin: PulsarAdmin, topic: str, run: str) -> None:
        self._admin = admin
        self._topic = topic
        self.name = HOLD_PREFIX + run
        admin.create_subscription(topic, self.name, position="latest")
        self.start: Mapping[str, tuple[int, int]] = admin.positions(topic, self.name)

    def everything(self) -> Mapping[str, tuple[int, int]]:
        """Where the re-reading begins: partitions that were added since begin at their own beginning."""
        count = self._admin.partitions(self._topic) or 0
        folder = f"persistent://{self._admin.namespace}/{self._topic}-partition-"
        return {**{f"{folder}{number}": EARLIEST for number in range(count)}, **self.start}

    def release(self) -> None:
        """Delete it; a broker that is gone is no reason to fail, the run is over."""
        with suppress(AlpesError):
            self._admin.delete_subscription(self._topic, self.name)


def sweep(admin: PulsarAdmin, topic: str, root: Path) -> None:
    """Delete the holds of this folder's runs whose process was killed; others' are left alone."""
    for name in dead_holds(admin.stats(topic).subscriptions, root):
        admin.delete_subscription(topic, name)


def dead_holds(subscriptions: Iterable[str], root: Path) -> list[str]:
    """Those that are holds of this folder's runs whose process is gone."""
    holds = (name for name in subscriptions if name.startswith(HOLD_PREFIX))
    return [name for name in holds if _dead(root / "runs" / name.removeprefix(HOLD_PREFIX))]


def _dead(directory: Path) -> bool:
    try:
        process = load_record(directory).document.get("process")
    except UsageError:
        return False
    if not isinstance(process, int):
        return True  # it has ended, and could not delete its hold
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def reread(url: str, start: Mapping[str, tuple[int, int]], readback: Readback, log: Path) -> TopicRead:
    """Every message since `start` (partition's full name → ledger, entry), by a reader a partition."""
    import pulsar

    begun = time.monotonic()
    client = pulsar.Client(url, logger=pulsar.FileLogger(pulsar.LoggerLevel.Warn, str(log)))
    ids: Counter[bytes] = Counter()
    messages = without = 0
    try:
        with ThreadPoolExecutor(min(4, len(start) or 1)) as pool:
            for found, number, bare in pool.map(
                lambda item: _partition(client, item[0], item[1], readback), start.items()
            ):
                ids.update(found)
                messages += number
                without += bare
    except pulsar.PulsarException as error:
        raise StackDownError("the topic can't be re-read", why=str(error), out="alpesctl status") from error
    finally:
        client.close()
    return TopicRead(dict(ids), messages, without, time.monotonic() - begun)


def _partition(
    client: Any, name: str, position: tuple[int, int], readback: Readback
) -> tuple[Counter[bytes], int, int]:
    import pulsar

    number = int(name.rsplit("-partition-", 1)[1]) if "-partition-" in name else -1
    at = pulsar.MessageId(number, position[0], position[1], -1)
    reader = client.create_reader(name, at, receiver_queue_size=5_000)
    ids: Counter[bytes] = Counter()
    messages = without = 0
    after = False
    try:
        while reader.has_message_available():
            message = reader.read_next(READ_TIMEOUT_MS)
            if not after:  # the client may begin with the batch that lies at the start itself
                here = message.message_id()
                after = (here.ledger_id(), here.entry_id()) > position
                if not after:
                    continue
            messages += 1
            key = body_id(message.data(), readback.id_field)
            if key is None and readback.id_property:
                key = as_bytes(message.properties().get(readback.id_property))
            if key is None:
                without += 1
            else:
                ids[key] += 1
    finally:
        reader.close()
    return ids, messages, without
