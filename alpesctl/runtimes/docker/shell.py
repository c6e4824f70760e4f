"""What the Docker runtime does, as the `docker` commands that a person would type. Runs none of them."""

from __future__ import annotations

import math
import shlex
from collections.abc import Container, Iterable

from alpesctl.runtimes.base import REPLICA_VARIABLE, Call
from alpesctl.runtimes.docker import naming
from alpesctl.stack.model import Network, Port, Service, Spec, Volume


def lines(spec: Spec, call: Call, service: str, number: int) -> list[str]:
    """The lines for a call on one replica that is there already."""
    name = naming.container(spec.project, service, number)
    declared = spec.services.get(service)
    status = "docker inspect --format '{{.State.Health.Status}}' " + name
    match call:
        case "stop":
            return [f"docker stop --time {math.ceil(declared.stop_grace) if declared else 10} {name}"]
        case "remove":
            return [f"docker rm {name}"]
        case "start" | "unpause" | "wait":
            return [f"docker {call} {name}"]
        case "await_healthy":
            return [f'until [ "$({status})" = healthy ]; do sleep 1; done']
        case _:
            return ["# nothing to do: nginx asks the engine's own name server, every second"]


def prepare(
    spec: Spec, service: Service, networks: Container[str], volumes: Container[str], *, with_image: bool
) -> list[str]:
    """What a service needs besides these networks and volumes, by name, and its image where that is missing too."""
    made = [image(service)] if with_image else []
    made += [network(spec, key) for key in service.networks if naming.network(spec, key) not in networks]
    keys = [mount.source for mount in service.mounts if mount.kind == "volume"]
    return made + [volume(spec, key) for key in keys if naming.volume(spec, key) not in volumes]


def create(spec: Spec, service: Service, number: int, *, digest: str, image_id: str) -> list[str]:
    """`docker create` of a replica; a port of a range is the engine's to choose here."""
    name = naming.container(spec.project, service.name, number)
    first, *others = [naming.network(spec, key) for key in service.networks]
    aliases = [flag for alias in (service.name, name) for flag in ("--network-alias", alias)]
    head, tail = _entrypoint(service)
    flags = ["--name", name, "--network", first, *aliases, *_configured(spec, service, number), *_limits(service)]
    flags += [*_health(service), *head]
    labels = naming.container_labels(spec, service, number, digest=digest, image_id=image_id)
    flags += _each("--label", (f"{key}={value}" for key, value in labels.items()))
    connect = ["docker network connect " + shlex.join(["--alias", service.name, other, name]) for other in others]
    return [shlex.join(["docker", "create", *flags, service.image, *tail, *service.command]), *connect]


def network(spec: Spec, key: str) -> str:
    """`docker network create` as Compose labels it."""
    declared = spec.networks.get(key, Network())
    internal = ["--internal"] if declared.internal else []
    labels = _labels(spec, naming.NETWORK, key)
    words = ["docker", "network", "create", "--driver", declared.driver, *internal, *labels]
    return shlex.join([*words, naming.network(spec, key)])


def volume(spec: Spec, key: str) -> str:
    """`docker volume create` as Compose labels it."""
    driver = spec.volumes.get(key, Volume()).driver
    words = ["docker", "volume", "create", "--driver", driver, *_labels(spec, naming.VOLUME, key)]
    return shlex.join([*words, naming.volume(spec, key)])


def _labels(spec: Spec, kind: str, key: str) -> list[str]:
    return _each("--label", (f"{k}={v}" for k, v in naming.resource_labels(spec, kind, key).items()))


def image(service: Service) -> str:
    """`docker pull`, or `docker build` where the compose file says how."""
    if service.build is None:
        return shlex.join(["docker", "pull", service.image])
    build = service.build
    target = ["--target", build.target] if build.target else []
    args = _each("--build-arg", (f"{key}={value}" for key, value in build.args.items()))
    dockerfile = ["--file", str(build.context / build.dockerfile)]
    return shlex.join(["docker", "build", "--tag", service.image, *dockerfile, *target, *args, str(build.context)])


def _configured(spec: Spec, service: Service, number: int) -> list[str]:
    hardening = service.hardening
    variables = {REPLICA_VARIABLE: f"{service.name}-{number}", **service.environment}
    flags = _each("--env", (f"{key}={value}" for key, value in variables.items()))
    flags += _each("--publish", map(_port, service.ports))
    for mount in service.mounts:
        source = naming.volume(spec, mount.source) if mount.kind == "volume" else mount.source
        read_only = ",readonly" if mount.read_only else ""
        flags += ["--mount", f"type={mount.kind},source={source},target={mount.target}{read_only}"]
    flags += ["--restart", service.restart, "--stop-timeout", str(math.ceil(service.stop_grace))]
    flags += ["--stop-signal", service.stop_signal] if service.stop_signal else []
    flags += ["--user", service.user] if service.user else []
    flags += ["--workdir", service.working_dir] if service.working_dir else []
    flags += ["--init"] if service.init else []
    flags += ["--read-only"] if hardening.read_only else []
    flags += _each("--tmpfs", hardening.tmpfs)
    flags += _each("--cap-add", hardening.cap_add)
    flags += _each("--cap-drop", hardening.cap_drop)
    return flags + _each("--security-opt", hardening.security_opt)


def _port(port: Port) -> str:
    hosts = f"{port.host_first}-{port.host_last}" if port.host_last > port.host_first else str(port.host_first)
    return f"{port.host_ip}:{hosts}:{port.container}"


def _limits(service: Service) -> list[str]:
    limits = service.limits
    flags = ["--memory", str(limits.memory)] if limits.memory is not None else []
    flags += ["--cpus", f"{limits.cpus:g}"] if limits.cpus is not None else []
    return flags + (["--pids-limit", str(limits.pids)] if limits.pids is not None else [])


def _health(service: Service) -> list[str]:
    check = service.health
    if check is None:
        return ["--no-healthcheck"] if service.health_disabled else []
    command = " ".join(check.test) if check.shell else shlex.join(check.test)
    times = {"interval": check.interval, "timeout": check.timeout, "start-period": check.start_period}
    flags = [word for name, seconds in times.items() for word in (f"--health-{name}", f"{round(seconds * 1000)}ms")]
    return ["--health-cmd", command, "--health-retries", str(check.retries), *flags]


def _entrypoint(service: Service) -> tuple[list[str], list[str]]:
    """The flag, and what goes before the command: `docker create` takes only one word of an entrypoint."""
    if service.entrypoint is None:
        return [], []
    return ["--entrypoint", service.entrypoint[0] if service.entrypoint else ""], list(service.entrypoint[1:])


def _each(flag: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]
