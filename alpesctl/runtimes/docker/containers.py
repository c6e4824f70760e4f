"""A service of the compose file → what the engine is asked to create. Decides no port, talks to no engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from docker.types import Healthcheck, Mount

from alpesctl.runtimes.base import REPLICA_VARIABLE
from alpesctl.runtimes.docker import naming
from alpesctl.stack.model import HealthCheck, Service, Spec

_NANO = 1_000_000_000


def configuration(
    spec: Spec, service: Service, number: int, *, host_ports: Mapping[int, tuple[str, int]], digest: str, image_id: str
) -> dict[str, Any]:
    """The arguments of `APIClient.create_container`, but for `host_config` and `networking_config`.

    `host_ports` maps a container port to the address and port on the host."""
    body: dict[str, Any] = {
        "image": service.image,
        "name": naming.container(spec.project, service.name, number),
        "labels": naming.container_labels(spec, service, number, digest=digest, image_id=image_id),
        "environment": {REPLICA_VARIABLE: f"{service.name}-{number}", **service.environment},
        "ports": sorted(host_ports),
        # Whoever stops it, the grace is the service's: docker stop, Compose, an engine that shuts down.
        "stop_timeout": math.ceil(service.stop_grace),
        "use_config_proxy": False,
    }
    if service.stop_signal:
        body["stop_signal"] = service.stop_signal
    if service.command:
        body["command"] = list(service.command)
    if service.entrypoint is not None:
        # An empty list would be left out, and the image's own would run.
        body["entrypoint"] = list(service.entrypoint) or [""]
    if service.user:
        body["user"] = service.user
    if service.working_dir:
        body["working_dir"] = service.working_dir
    if service.health is not None:
        body["healthcheck"] = _health(service.health)
    elif service.health_disabled:
        body["healthcheck"] = Healthcheck(test=["NONE"])
    return body


def host(spec: Spec, service: Service, *, host_ports: Mapping[int, tuple[str, int]], network: str) -> dict[str, Any]:
    """The arguments of `APIClient.create_host_config`."""
    name, _, retries = service.restart.partition(":")
    hardening, limits = service.hardening, service.limits
    body: dict[str, Any] = {
        "port_bindings": dict(host_ports),
        "restart_policy": {"Name": name, "MaximumRetryCount": int(retries or 0)},
        "network_mode": network,
        "mounts": [
            Mount(
                target=mount.target,
                source=naming.volume(spec, mount.source) if mount.kind == "volume" else mount.source,
                type="volume" if mount.kind == "volume" else "bind",
                read_only=mount.read_only,
            )
            for mount in service.mounts
        ],
        "read_only": hardening.read_only,
        "cap_add": list(hardening.cap_add),
        "cap_drop": list(hardening.cap_drop),
        "security_opt": list(hardening.security_opt),
        "tmpfs": dict(path.partition(":")[::2] for path in hardening.tmpfs),
        "init": service.init or None,
    }
    if limits.memory is not None:
        body["mem_limit"] = limits.memory
    if limits.cpus is not None:
        body["nano_cpus"] = int(limits.cpus * _NANO)
    if limits.pids is not None:
        body["pids_limit"] = limits.pids
    return body


def _health(check: HealthCheck) -> Healthcheck:
    kind = "CMD-SHELL" if check.shell else "CMD"
    return Healthcheck(
        test=[kind, *check.test],
        interval=int(check.interval * _NANO),
        timeout=int(check.timeout * _NANO),
        retries=check.retries,
        start_period=int(check.start_period * _NANO),
    )
