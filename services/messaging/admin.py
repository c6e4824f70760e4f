"""Creates topics and subscriptions through Pulsar's admin REST API. What exists is left as it is."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

_CONFLICT = 409


class PulsarAdmin:
    """A broker's admin endpoint, such as http://pulsar:8080."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._base = url.rstrip("/") + "/admin/v2"
        self._timeout = timeout

    def _put(self, path: str, body: Any) -> None:
        request = urllib.request.Request(f"{self._base}/{path}", json.dumps(body).encode(), method="PUT")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout):
                return
        except urllib.error.HTTPError as error:
            with error:
                if error.code != _CONFLICT:
                    raise RuntimeError(f"Pulsar refused PUT {path}: {error.code} {error.read()[:300]!r}") from error

    def create_partitioned(self, topic: str, partitions: int) -> None:
        """`topic` is a full name, `persistent://…`."""
        self._put(f"{_path(topic)}/partitions", partitions)

    def create_subscription(self, topic: str, subscription: str) -> None:
        """A durable subscription that begins with the topic's first message."""
        self._put(f"{_path(topic)}/subscription/{quote(subscription, safe='')}", "earliest")


def _path(topic: str) -> str:
    kind, name = topic.split("://", 1)
    tenant, namespace, short = name.split("/", 2)
    return f"{kind}/{tenant}/{namespace}/{quote(short, safe='')}"
