"""The Docker runtime: carries the protocol out on containers, through the Docker SDK. Decides nothing."""

from __future__ import annotations

import contextlib
import math
import shlex
import signal as signals
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import requests
from docker.errors import APIError, NotFound
from urllib3.exceptions import ReadTimeoutError

from alpesctl.errors import AlpesError, MachineError, StackDownError, UnhealthyError, UsageError
from alpesctl.runtimes.base import Call, Endpoint, ExecResult, Health, LogLine, Replica, Report, Room, State, in_order
from alpesctl.runtimes.docker import containers, images, logs, naming, observing, ports, shell
from alpesctl.runtimes.docker.attaching import attach
from alpesctl.runtimes.docker.engine import FOREVER, at_the_edge, connect, stream_at_the_edge
from alpesctl.runtimes.docker.execution import execute, freeze, kill_frozen, signal_on_this_machine
from alpesctl.runtimes.docker.inventory import Inventory
from alpesctl.runtimes.docker.resources import Resources
from alpesctl.runtimes.docker.rooms import rooms
from alpesctl.runtimes.loopback import holder, is_free
from alpesctl.stack.digest import UNKNOWN
from alpesctl.stack.digest import digest as service_digest
from alpesctl.stack.model import Service, Spec

_DOWN_TIMEOUT = 10.0
_POLL = 0.02
_CHECK_TIMEOUT = 5.0


class DockerRuntime:
    """Containers, networks and volumes of one Compose project."""

    name = "docker"
    uses_images = True

    @at_the_edge
    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._api = connect()
        self._there = Inventory(self._api, spec)
        self._resources = Resources(self._api, spec, self._there)
        self._image_ids: dict[str, str | None] = {}
        self._there.refuse_foreign()

    # -- preparing -------------------------------------------------------------------------------

    @at_the_edge
    def prepare(
        self,
        spec: Spec,
        services: Collection[str] | None = None,
        report: Report | None = None,
        *,
        rebuild: bool = False,
    ) -> None:
        """Pull or build the images that aren't there; make the networks and volumes that aren't."""
        wanted = [service for name, service in spec.services.items() if services is None or name in services]
        used = {service.image for service in wanted}
        # Of all services: how an image is built may stand at another one than those wanted.
        by_image = images.by_image(service for service in spec.services.values() if service.image in used)
        for service in by_image.values():
            if rebuild and service.build is not None:
                images.build(self._api, service.image, service.build, report)
            else:
                images.make_present(self._api, service, report)
        self._image_ids.clear()
        for key in {key for service in wanted for key in service.networks}:
            self._resources.ensure_network(key)
        for key in {mount.source for service in wanted for mount in service.mounts if mount.kind == "volume"}:
            self._resources.ensure_volume(key)

    @at_the_edge
    def digest(self, service: Service) -> str:
        """The image counts by its id too: a rebuilt one of the same name makes replicas anew."""
        identity = self._image_id(service.image) or "missing"
        # How the local runtime would run it is none of a container's business.
        return service_digest(replace(service, image=f"{service.image} {identity}"), recipe=UNKNOWN)

    def _image_id(self, image: str) -> str | None:
        if image not in self._image_ids:
            self._image_ids[image] = images.present(self._api, image)
        return self._image_ids[image]

    # -- observing -------------------------------------------------------------------------------

    @at_the_edge
    def replicas(
        self, services: Collection[str] | None = None, *, with_usage: bool = False, with_health: bool = True
    ) -> list[Replica]:
        inspected = self._there.inspect_all(services)
        networks = self._there.network_ids()
        used = self._there.usage(inspected) if with_usage else {}
        found = []
        for each in inspected:
            made = observing.replica(each, digest=self._digest_of(each, networks), with_health=with_health)
            if made.health is Health.STARTING and self._passes(each):
                made = replace(made, health=Health.HEALTHY)
            if each["Id"] in used:
                percent, memory = used[each["Id"]]
                made = replace(made, cpu_percent=percent, memory_bytes=memory)
            found.append(made)
        return sorted(found, key=lambda r: (r.service, r.number))

    def _passes(self, inspected: observing.Inspected) -> bool:
        """Whether the container passes its own check now: the engine asks only every few seconds, and first
        once as many have passed."""
        command = observing.check(inspected)
        try:
            return bool(command) and execute(self._api, inspected["Id"], command, timeout=_CHECK_TIMEOUT).exit_code == 0
        except (AlpesError, APIError):
            return False

    def _digest_of(self, inspected: observing.Inspected, networks: Collection[str]) -> str:
        service = self._spec.services.get(naming.address(inspected["Config"].get("Labels") or {})[0])
        if service is None:
            return observing.digest(inspected, None, "", None)
        expected = [naming.network(self._spec, key) for key in service.networks]
        told = observing.digest(inspected, service, self.digest(service), self._image_id(service.image))
        return told if observing.attached(inspected, expected, networks) else observing.without_networks(told)

    # -- changing --------------------------------------------------------------------------------

    @at_the_edge
    def create(self, service: Service, number: int) -> None:
        image_id = self._image_id(service.image)
        if image_id is None:
            raise MachineError(f"the image {service.image} is not there", out="alpesctl up fetches or builds it")
        host_ports = ports.choose(service, self._there)
        first, *others = service.networks
        names = [naming.network(self._spec, key) for key in (first, *others)]
        aliases = [service.name, naming.container(self._spec.project, service.name, number)]
        body = containers.configuration(
            self._spec, service, number, host_ports=host_ports, digest=self.digest(service), image_id=image_id
        )
        host = containers.host(self._spec, service, host_ports=host_ports, network=names[0])
        attached = {names[0]: self._api.create_endpoint_config(aliases=aliases)}
        try:
            made = self._api.create_container(
                **body,
                host_config=self._api.create_host_config(**host),
                networking_config=self._api.create_networking_config(attached),  # type: ignore[arg-type]  # the stub is wrong
            )
        except APIError as error:
            if error.status_code == 409:
                raise MachineError(
                    f"the container {body['name']} is there already, and not of this project",
                    why=str(error.explanation),
                    out=f"docker rm {body['name']}, or give this project another name: --project-name NAME",
                ) from error
            raise
        for name in names[1:]:
            self._api.connect_container_to_network(made["Id"], name, aliases=aliases)

    @at_the_edge
    def start(self, service: str, number: int) -> None:
        inspected = self._there.inspect(service, number)
        try:
            self._api.start(inspected["Id"])
        except APIError as error:
            words = str(error.explanation)
            if "address already in use" in words or "port is already allocated" in words:
                mine = sorted(observing.published_ports(inspected))
                held = next((port for port in mine if not is_free(port)), mine[0])
                raise MachineError(
                    f"{service}-{number} can't be started",
                    why=self._there.holders().get(held) or holder(held),
                    out="end that program first",
                ) from error
            raise MachineError(
                f"{service}-{number} can't be started",
                why=words,
                out="mend what the engine names, in the compose file or on this machine, then alpesctl up",
            ) from error

    @at_the_edge
    def stop(self, service: str, number: int, *, grace: float | None = None) -> int | None:
        inspected = self._there.inspect(service, number)
        now = observing.state(inspected)
        if now in (State.EXITED, State.CREATED):
            return None
        declared = self._spec.services.get(service)
        allowed = grace if grace is not None else declared.stop_grace if declared else 10.0
        if now is State.PAUSED:
            self._api.unpause(inspected["Id"])
        self._api.stop(inspected["Id"], timeout=math.ceil(allowed))
        return self._until_down(inspected["Id"])

    @at_the_edge
    def kill(self, service: str, number: int) -> None:
        inspected = self._there.inspect(service, number)
        now = observing.state(inspected)
        if now in (State.RUNNING, State.PAUSED):
            if now is State.PAUSED:
                kill_frozen(self._api, inspected)
            self._kill(inspected["Id"])
        elif now is State.RESTARTING:
            self._api.stop(inspected["Id"], timeout=0)
        else:
            return
        self._until_down(inspected["Id"])

    def _kill(self, container: str) -> None:
        try:
            self._api.kill(container)
        except APIError as error:
            if error.status_code != 409:  # it has just ended by itself
                raise
            self._api.stop(container, timeout=0)

    def _until_down(self, container: str) -> int:
        """Wait until the container is down and stays so; its exit code."""
        deadline = time.monotonic() + _DOWN_TIMEOUT
        while time.monotonic() < deadline:
            inspected = self._api.inspect_container(container)
            now = observing.state(inspected)
            if now is State.EXITED:
                return int(inspected["State"]["ExitCode"])
            if now is State.RESTARTING:
                self._api.stop(container, timeout=0)
            time.sleep(_POLL)
        raise UnhealthyError(f"the container {container[:12]} does not end", out="docker ps; alpesctl down")

    @at_the_edge
    def signal(self, service: str, number: int, signal: str) -> None:
        if not hasattr(signals, signal):
            raise UsageError(f"{signal} is no signal", out="write it as SIGTERM")
        inspected = self._running_one(service, number)
        wanted = signals.Signals[signal]
        # A signal sent through the engine counts as a stop by hand, and ends the restart policy.
        if signal_on_this_machine(inspected, wanted):
            return
        if wanted is signals.SIGKILL:
            self._api.kill(inspected["Id"])
            self._until_down(inspected["Id"])
            if inspected["HostConfig"]["RestartPolicy"]["Name"] != "no":
                self._api.start(inspected["Id"])
            return
        execute(self._api, inspected["Id"], ["kill", f"-{wanted.value}", "1"], timeout=10)

    @at_the_edge
    def pause(self, service: str, number: int) -> None:
        freeze(self._api, self._there.inspect(service, number)["Id"])

    @at_the_edge
    def unpause(self, service: str, number: int) -> None:
        self._api.unpause(self._there.inspect(service, number)["Id"])

    @at_the_edge
    def remove(self, service: str, number: int) -> None:
        try:
            container = self._there.inspect(service, number)["Id"]
        except StackDownError:  # somebody else was faster
            return
        try:
            self._api.remove_container(container)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409 or "in progress" not in str(error.explanation):
                raise
            self._until_gone(container)

    def _until_gone(self, container: str) -> None:
        deadline = time.monotonic() + _DOWN_TIMEOUT
        with contextlib.suppress(NotFound):
            while time.monotonic() < deadline:
                self._api.inspect_container(container)
                time.sleep(_POLL)
            raise UnhealthyError(f"the container {container[:12]} does not go away", out="docker ps -a; alpesctl down")

    @at_the_edge
    def volumes(self) -> list[str]:
        return self._resources.volumes()

    @at_the_edge
    def remove_volumes(self) -> list[str]:
        return self._resources.remove_volumes()

    @at_the_edge
    def teardown(self) -> None:
        self._resources.teardown()

    def refresh_routes(self) -> None:
        """Nothing to do: nginx asks the engine's own name server, every second."""

    @at_the_edge
    def wait(self, service: str, number: int, *, timeout: float) -> int:
        inspected = self._there.inspect(service, number)
        try:
            return int(self._api.wait(inspected["Id"], timeout=math.ceil(timeout))["StatusCode"])
        except (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError) as error:
            if not _timed_out(error):
                raise
            raise UnhealthyError(
                f"{service}-{number} did not end within {timeout:.0f} s",
                out=f"alpesctl logs {service} shows what it does",
            ) from error

    # -- in a shell ------------------------------------------------------------------------------

    @at_the_edge
    def shell(self, call: Call, service: str, number: int) -> list[str]:
        declared = self._spec.services.get(service)
        if call == "prepare" and declared is not None:
            volumes = {volume["Name"] for volume in self._there.volumes()}
            with_image = self._image_id(declared.image) is None
            return shell.prepare(self._spec, declared, self._there.networks_named(), volumes, with_image=with_image)
        if call == "create" and declared is not None:
            told = {"digest": self.digest(declared), "image_id": self._image_id(declared.image) or ""}
            return shell.create(self._spec, declared, number, **told)
        return shell.lines(self._spec, call, service, number)

    def shell_exec(self, service: str, number: int, command: Sequence[str]) -> str:
        return shlex.join(["docker", "exec", naming.container(self._spec.project, service, number), *command])

    # -- reading ---------------------------------------------------------------------------------

    @stream_at_the_edge
    def logs(
        self,
        services: Sequence[str],
        *,
        since: datetime | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> Iterator[LogLine]:
        asked = datetime.now(UTC)
        wanted = services or None
        until = asked if follow else None
        there = sorted(self._there.inspect_all(wanted), key=lambda i: naming.address(i["Config"]["Labels"]))
        names = {str(each["Id"]): naming.replica(each["Config"]["Labels"]) for each in there}
        yield from in_order(
            logs.read(self._api, container, name, since=since, tail=tail, until=until)
            for container, name in names.items()
        )
        if follow:
            yield from logs.follow(lambda: connect(timeout=FOREVER), lambda: self._running(wanted), asked)

    def _running(self, services: Collection[str] | None) -> dict[str, str]:
        return {
            str(each["Id"]): naming.replica(each["Labels"])
            for each in self._there.containers()
            if each["State"] == "running" and (services is None or naming.address(each["Labels"])[0] in services)
        }

    @at_the_edge
    def exec(self, service: str, number: int, command: Sequence[str], *, timeout: float = 60.0) -> ExecResult:
        return execute(self._api, self._running_one(service, number)["Id"], command, timeout=timeout)

    @at_the_edge
    def attach(self, service: str, number: int, command: Sequence[str], *, terminal: bool) -> int:
        api = connect(timeout=FOREVER)
        try:
            return attach(api, self._running_one(service, number), command, terminal=terminal)
        finally:
            api.close()

    def _running_one(self, service: str, number: int) -> observing.Inspected:
        inspected = self._there.inspect(service, number)
        if observing.state(inspected) is not State.RUNNING:
            raise StackDownError(f"{service}-{number} does not run", out="alpesctl up")
        return inspected

    @at_the_edge
    def rooms(self) -> list[Room]:
        return rooms(self._api, self._there.inspect_all())

    @at_the_edge
    def endpoint(self, service: str, container_port: int, number: int | None = None) -> Endpoint:
        declared = self._spec.services.get(service)
        wanted = declared.facing(container_port) if declared else container_port
        found = [
            each
            for each in self._there.inspect_all([service])
            if number is None or naming.address(each["Config"]["Labels"])[1] == number
        ]
        running = [each for each in found if observing.state(each) is State.RUNNING]
        # Of several the lowest port: the one that people know.
        published = [observing.endpoints(each) for each in (running or found)]
        candidates = [endpoints[wanted] for endpoints in published if wanted in endpoints]
        if candidates:
            return min(candidates, key=lambda endpoint: endpoint.port)
        raise StackDownError(
            f"{service} does not publish {container_port} on this machine" if found else f"{service} is not up",
            out="alpesctl up",
        )


def _timed_out(error: BaseException) -> bool:
    return isinstance(error, requests.exceptions.Timeout) or any(
        isinstance(reason, ReadTimeoutError | TimeoutError) for reason in error.args
    )
