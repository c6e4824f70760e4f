"""Pulsar clients: a consumer of commands and producers. Must not know what the messages mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulsar
import structlog

from services.messaging.link import BrokerAway, Link
from services.messaging.messages import Message

BATCH_MESSAGES = 2000
BATCH_BYTES = 8 * 2**20
BATCH_WAIT_MS = 10
# Messages that lie in the client; what bounds a worker's memory, whatever the backlog.
QUEUE_PER_PARTITION = 2000
QUEUE_OF_ALL_PARTITIONS = 16_000
SEND_TIMEOUT_MS = 2000

log = structlog.get_logger()


class Commands:
    """A KeyShared consumer. What is received and not acknowledged goes to another one if this one dies."""

    def __init__(
        self, url: str, topic: str | list[str], subscription: str, name: str, most: int = BATCH_MESSAGES
    ) -> None:
        """Of a topic, or of several; `most` messages a batch. Raises BrokerAway while the broker does not answer."""

        def subscribe(connection: pulsar.Client) -> Any:
            return connection.subscribe(
                topic,
                subscription,
                consumer_type=pulsar.ConsumerType.KeyShared,
                consumer_name=name,
                initial_position=pulsar.InitialPosition.Earliest,
                receiver_queue_size=QUEUE_PER_PARTITION,
                max_total_receiver_queue_size_across_partitions=QUEUE_OF_ALL_PARTITIONS,
                batch_receive_policy=pulsar.ConsumerBatchReceivePolicy(most, BATCH_BYTES, BATCH_WAIT_MS),
                batch_index_ack_enabled=True,
            )

        self._link = Link(url, subscribe)

    def batch_receive(self) -> Sequence[Message]:
        """What has come within BATCH_WAIT_MS, at most as many as were asked for; perhaps nothing."""
        self._link.check()
        received: Sequence[Message] = self._link.handle.batch_receive()
        return received

    def acknowledge(self, messages: Sequence[Any]) -> None:
        """Tell the broker. What it misses of that comes again, and is absorbed."""
        acknowledge = self._link.handle.acknowledge
        try:
            for message in messages:
                acknowledge(message)
        except pulsar.PulsarException as error:
            log.warning("not acknowledged", messages=len(messages), error=str(error))

    def is_connected(self) -> bool:
        return bool(self._link.handle.is_connected())

    def close(self) -> None:
        """Flushes the acknowledgements."""
        self._link.close()


class TooBig(Exception):
    """The broker takes no message of this size, now or later."""


class Letters:
    """A producer that awaits each receipt; for dead letters."""

    def __init__(self, connection: pulsar.Client, topic: str) -> None:
        try:
            self._producer = connection.create_producer(topic, send_timeout_millis=SEND_TIMEOUT_MS)
        except pulsar.PulsarException as error:
            raise BrokerAway(str(error)) from error

    def publish(self, body: bytes, key: str, properties: Mapping[str, str]) -> None:
        """Returns once the broker has the message. Raises TooBig, and BrokerAway where that isn't known."""
        try:
            self._producer.send(body, partition_key=key or None, properties=dict(properties))
        except pulsar.MessageTooBig as error:
            raise TooBig(str(error)) from error
        except pulsar.PulsarException as error:
            raise BrokerAway(str(error)) from error

    def close(self) -> None:
        """Raises nothing."""
        try:
            self._producer.close()
        except pulsar.PulsarException as error:
            log.warning("not closed in order", error=str(error) or type(error).__name__)
