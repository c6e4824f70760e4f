"""Producers of any number of topics, for who relays: in order, each receipt awaited."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pulsar
import structlog

from services.messaging.broker import SEND_TIMEOUT_MS
from services.messaging.letters import smaller
from services.messaging.link import BrokerAway, answers, client
from services.messaging.messages import Sent

# The client answers each send within its timeout; should it ever not, nobody waits for ever.
RECEIPT_S = SEND_TIMEOUT_MS / 1000 + 0.5

log = structlog.get_logger()


class Producers:
    """Used by one thread. After a failure everything is made anew: a producer that was cut off may stay away for
    long, and what fails behind another must not overtake it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: pulsar.Client | None = None
        self._producers: dict[str, Any] = {}

    def publish(self, topic: str, messages: Sequence[Sent]) -> int:
        """Publish to a topic, in order; return how many of the first ones have a receipt. Raises BrokerAway if the
        broker does not take connections, or does not have the topic."""
        producer = self._producer(topic)
        results: list[Any] = [None] * len(messages)
        left = threading.Semaphore(0)
        for place, message in enumerate(messages):
            self._send(producer, message, results, place, left)
        for _ in messages:
            if not left.acquire(timeout=RECEIPT_S):
                break
        done = next((i for i, result in enumerate(results) if result != pulsar.Result.Ok), len(messages))
        if done < len(messages):
            log.warning(
                "not published", topic=topic, published=done, waits=len(messages) - done, why=str(results[done])
            )
            self.close()
        return done

    def _send(self, producer: Any, message: Sent, results: list[Any], place: int, left: threading.Semaphore) -> None:
        def received(result: Any, _message_id: Any) -> None:
            less = smaller(message) if result == pulsar.Result.MessageTooBig else None
            if less is not None:
                self._send(producer, less, results, place, left)
                return
            results[place] = result
            left.release()

        try:
            producer.send_async(
                message.body, received, partition_key=message.key or None, properties=dict(message.properties)
            )
        except pulsar.MessageTooBig:
            received(pulsar.Result.MessageTooBig, None)
        except pulsar.PulsarException as error:
            results[place] = str(error) or type(error).__name__
            left.release()

    def _producer(self, topic: str) -> Any:
        if topic not in self._producers:
            if self._client is None:
                # The client itself would go on trying for seconds.
                if not answers(self._url):
                    raise BrokerAway("the broker accepts no connections")
                self._client = client(self._url)
            try:
                self._producers[topic] = self._client.create_producer(
                    topic,
                    send_timeout_millis=SEND_TIMEOUT_MS,
                    batching_enabled=True,
                    # Batches of the default kind go where their first key goes.
                    batching_type=pulsar.BatchingType.KeyBased,
                    batching_max_publish_delay_ms=1,
                )
            except pulsar.PulsarException as error:
                self.close()
                raise BrokerAway(f"{topic}: {error}") from error
        return self._producers[topic]

    def close(self) -> None:
        """Raises nothing. What is published next makes everything anew."""
        connection, self._client = self._client, None
        self._producers = {}
        if connection is not None:
            try:
                connection.shutdown()
            except pulsar.PulsarException as error:
                log.warning("not closed in order", error=str(error) or type(error).__name__)
