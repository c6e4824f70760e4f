"""Reads `x-alpes`: what alpesctl must know of a stack beyond Compose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpesctl.errors import ComposeError, UsageError
from alpesctl.stack import keys, retention, values
from alpesctl.stack.model import ADMIN_PORT, BROKER_PORT, Address, Listen, Port, Pulsar, Service, StatsSource, Topic
from alpesctl.stack.retention import Retention


def load_pulsar(value: Any, services: Mapping[str, Service]) -> Pulsar | None:
    """`x-alpes.pulsar`, or None where the stack has no broker."""
    if value is None:
        return None
    path = "x-alpes.pulsar"
    body = keys.check(value, keys.X_PULSAR, path, extensions=False)
    service = str(body.get("service", ""))
    if service not in services:
        raise ComposeError(f"{path}.service: there is no service {service!r}")
    topics = tuple(
        _topic(raw, services, f"{path}.topics[{index}]") for index, raw in enumerate(body.get("topics") or [])
    )
    return Pulsar(
        service=service,
        broker_port=int(body.get("broker_port", BROKER_PORT)),
        admin_port=int(body.get("admin_port", ADMIN_PORT)),
        namespace=str(body.get("namespace", "public/default")),
        topics=topics,
        retention=_retention(body.get("retention"), f"{path}.retention"),
    )


def _topic(value: Any, services: Mapping[str, Service], path: str) -> Topic:
    body = keys.check(value, keys.X_TOPIC, path, extensions=False)
    partitions = body.get("partitions", 1)
    if not isinstance(partitions, int) or partitions < 1:
        raise ComposeError(f"{path}.partitions: {partitions!r}", out="a whole number of at least 1")
    if not body.get("name"):
        raise ComposeError(f"{path}.name is missing")
    return Topic(
        name=str(body["name"]),
        partitions=partitions,
        subscription=str(body.get("subscription", "")),
        consumers=_services(body.get("consumers"), services, f"{path}.consumers"),
        producers=_services(body.get("producers"), services, f"{path}.producers"),
        retention=_retention(body.get("retention"), f"{path}.retention"),
    )


def _services(value: Any, services: Mapping[str, Service], path: str) -> tuple[str, ...]:
    """One service, or a list of them; none where nothing is written."""
    names = values.texts([value] if isinstance(value, str) and value else value or None, path)
    for name in names:
        if name not in services:
            raise ComposeError(f"{path}: there is no service {name!r}", out=f"services are: {', '.join(services)}")
    return names


def _retention(value: Any, path: str) -> Retention | None:
    """`{size: 20G, time: 7d}`; a difference is shown, and changed only once it is wished for."""
    if value is None:
        return None
    body = keys.check(value, keys.X_RETENTION, path, extensions=False)
    try:
        size, _ = retention.size(str(body.get("size", "")))
        time, _ = retention.time(str(body.get("time", "")))
        return retention.require_sound(Retention(size, time))
    except UsageError as error:
        raise ComposeError(f"{path}: {error.what}", why=error.why, out=error.out) from error


def load_stats(value: Any) -> tuple[StatsSource, ...]:
    """`x-alpes.stats`: lists of items that `alpesctl stats` reads over HTTP."""
    found = []
    for index, raw in enumerate(value or []):
        path = f"x-alpes.stats[{index}]"
        body = keys.check(raw, keys.X_STATS, path, extensions=False)
        columns = tuple(str(c) for c in body.get("columns") or [])
        for key in ("total", "money"):
            if body.get(key) and body[key] not in columns:
                raise ComposeError(
                    f"{path}.{key}: there is no column {body[key]!r}", out=f"one of: {', '.join(columns) or 'none'}"
                )
        shown = body.get("shown", 0)
        if type(shown) is not int or shown < 0:
            raise ComposeError(f"{path}.shown: {shown!r}", out="a whole number, 0 for all")
        found.append(
            StatsSource(*_texts(body, path), columns, str(body.get("total", "")), str(body.get("money", "")), shown)
        )
    return tuple(found)


def load_addresses(value: Any) -> tuple[Address, ...]:
    """`x-alpes.addresses`: what a person wants to open once the stack is up."""
    found = []
    for index, raw in enumerate(value or []):
        path = f"x-alpes.addresses[{index}]"
        found.append(Address(*_texts(keys.check(raw, keys.X_ADDRESS, path, extensions=False), path)))
    return tuple(found)


def _texts(body: Mapping[str, Any], path: str) -> tuple[str, str]:
    for key in ("title", "url"):
        if not body.get(key):
            raise ComposeError(f"{path}.{key} is missing")
    return str(body["title"]), str(body["url"])


def load_listen(value: Any, ports: tuple[Port, ...], path: str) -> Listen | None:
    """`x-alpes.listen` of a service: by which variables it learns where to listen."""
    if value is None:
        return None
    body = keys.check(value, keys.X_LISTEN, path, extensions=False)
    port = body.get("container_port", ports[0].container if ports else None)
    if port is None or not body.get("host") or not body.get("port"):
        raise ComposeError(f"{path}: host, port, and container_port where nothing is published, are needed")
    return Listen(str(body["host"]), str(body["port"]), int(port))


def load_sources(value: Any, directory: Path, path: str) -> tuple[Path, ...]:
    """`x-alpes.sources` of a service: the folders of its own code, from the project's."""
    found = tuple(directory / str(name) for name in value or [])
    for folder in found:
        if not folder.is_dir():
            raise ComposeError(f"{path}: there is no folder {folder}", out="name the folders of the service's code")
    return found
