"""What the engine tells of a container → a Replica. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from alpesctl.runtimes.base import Endpoint, Health, Replica, State
from alpesctl.runtimes.docker import naming
from alpesctl.stack.digest import UNKNOWN, environment_part
from alpesctl.stack.model import Service

Inspected = Mapping[str, Any]

_STATES = {
    "created": State.CREATED,
    "running": State.RUNNING,
    "restarting": State.RESTARTING,
    "paused": State.PAUSED,
}
_HEALTHS = {"starting": Health.STARTING, "healthy": Health.HEALTHY, "unhealthy": Health.UNHEALTHY}
_ANY_ADDRESS = ("", "0.0.0.0", "::")


def state(inspected: Inspected) -> State:
    """The container's state; what is being removed or is dead counts as exited."""
    return _STATES.get(str(inspected["State"].get("Status")), State.EXITED)


def replica(inspected: Inspected, *, digest: str, with_health: bool) -> Replica:
    """The replica that this container is."""
    told, labels = inspected["State"], inspected["Config"].get("Labels") or {}
    service, number = naming.address(labels)
    now = state(inspected)
    running = now in (State.RUNNING, State.PAUSED)
    health = _HEALTHS.get(str((told.get("Health") or {}).get("Status")), Health.NONE)
    return Replica(
        service=service,
        number=number,
        state=now,
        digest=digest,
        health=health if with_health and now is State.RUNNING else Health.NONE,
        exit_code=int(told.get("ExitCode", 0)) if now is State.EXITED else None,
        started_at=_time(str(told.get("StartedAt", ""))),
        pid=int(told.get("Pid", 0)) or None if running else None,
        restarts=int(inspected.get("RestartCount", 0)),
        endpoints=tuple(sorted(endpoints(inspected).items())),
    )


def check(inspected: Inspected) -> list[str]:
    """The command of the container's health check, whether the compose file or the image has it; [] without."""
    kind, *words = (inspected["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    return words if kind == "CMD" else ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else []


def endpoints(inspected: Inspected) -> dict[int, Endpoint]:
    """Container port → where it is published; of a container that doesn't run, where it will be."""
    bound: Mapping[str, Any] = (inspected.get("NetworkSettings") or {}).get("Ports") or {}
    if not any(bound.values()):
        bound = inspected["HostConfig"].get("PortBindings") or {}
    found = {}
    for name, bindings in bound.items():
        port, _, protocol = name.partition("/")
        for binding in bindings or ():
            number = str(binding.get("HostPort", ""))
            if protocol in ("", "tcp") and number.isdigit():
                address = str(binding.get("HostIp", ""))
                found[int(port)] = Endpoint("127.0.0.1" if address in _ANY_ADDRESS else address, int(number))
                break
    return found


def published_ports(inspected: Inspected) -> set[int]:
    """All host ports that the container has been given, running or not."""
    return {endpoint.port for endpoint in endpoints(inspected).values()}


def digest(inspected: Inspected, service: Service | None, wanted: str, image_id: str | None) -> str:
    """The digest of the configuration that the container was made with.

    One that another tool made (`docker compose up`) has none. What can be compared with the service is, and
    the rest counts as unchanged (`?`): nothing is made anew because somebody else made it.
    """
    config = inspected["Config"]
    labels = config.get("Labels") or {}
    if naming.DIGEST in labels or service is None:
        return str(labels.get(naming.DIGEST, ""))
    there = set(config.get("Env") or ())
    same = {
        "image": image_id is None or inspected["Image"] == image_id,
        "command": not service.command or list(config.get("Cmd") or ()) == list(service.command),
        **{environment_part(name): f"{name}={value}" in there for name, value in service.environment.items()},
    }
    parts = [part.partition("=")[0] for part in wanted.split()]
    return " ".join(f"{part}={UNKNOWN if same.get(part, True) else 'other'}" for part in parts)


def attached(inspected: Inspected, expected: Collection[str], present: Collection[str]) -> bool:
    """Whether the container is on the networks of these names, and on none that was made anew since (`present`
    are the ids of the project's networks): it could not be started on that."""
    on = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    stale = [
        name
        for name, network in on.items()
        if name in expected and network.get("NetworkID") and network["NetworkID"] not in present
    ]
    return not stale and all(name in on for name in expected)


def without_networks(digest: str) -> str:
    """The digest of a container that isn't on its networks as it should be."""
    parts = [part for part in digest.split() if not part.startswith("networks=")]
    return " ".join([*parts, "networks=other"])


def _time(text: str) -> datetime | None:
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def usage(stats: Mapping[str, Any]) -> tuple[float, int]:
    """CPU in percent of a core, over the second between the engine's two readings; memory in bytes, without the
    file cache that can be given back, as `docker stats` does."""
    seconds = _seconds(stats.get("preread", ""), stats.get("read", ""))
    used = _cpu(stats.get("cpu_stats")) - _cpu(stats.get("precpu_stats"))
    percent = 100 * used / 1e9 / seconds if seconds > 0 else 0.0
    memory = stats.get("memory_stats") or {}
    detail = memory.get("stats") or {}
    cache = int(detail.get("total_inactive_file", detail.get("inactive_file", 0)))
    return round(max(0.0, percent), 1), max(0, int(memory.get("usage", 0)) - cache)


def _cpu(stats: Mapping[str, Any] | None) -> int:
    return int(((stats or {}).get("cpu_usage") or {}).get("total_usage", 0))


def _seconds(begin: str, end: str) -> float:
    first, last = _time(begin), _time(end)
    return (last - first).total_seconds() if first and last else 0.0
