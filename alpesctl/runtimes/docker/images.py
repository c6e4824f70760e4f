"""Images on a Docker engine: is one there, pull it, build it. Decides nothing about containers."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

import docker
from docker.errors import APIError, ImageNotFound
from docker.utils import parse_repository_tag

from alpesctl.errors import ComposeError, MachineError
from alpesctl.runtimes.base import Report, Step
from alpesctl.runtimes.docker.engine import at_the_edge
from alpesctl.stack.model import Build, Service

WAY_OUT = (
    "make this machine's engine reach a registry; without one: alpesctl images build makes stand-ins for all of them; "
    "then alpesctl up --stand-ins"
)
_SHOWN = 15  # lines of a failed build's output
_STEP = re.compile(r"^Step \d+/\d+ : (?P<instruction>\w+)\s*(?P<rest>\S*)")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@at_the_edge
def present(api: docker.APIClient, image: str) -> str | None:
    """The image's id, or None where the engine hasn't got it."""
    try:
        return str(api.inspect_image(image)["Id"])  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return None


@at_the_edge
def labels_of(api: docker.APIClient, image: str) -> dict[str, str]:
    """The image's labels; none where the engine hasn't got it."""
    try:
        found = api.inspect_image(image)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return {}
    return dict((found.get("Config") or {}).get("Labels") or {})


def by_image(services: Iterable[Service]) -> dict[str, Service]:
    """For each image, in order, the service that stands for it: the first that says how to build it, if any; pure."""
    found: dict[str, Service] = {}
    for service in services:
        if service.image not in found or (found[service.image].build is None and service.build is not None):
            found[service.image] = service
    return found


@at_the_edge
def pull(api: docker.APIClient, image: str, report: Report | None = None) -> None:
    """Pull the image, with progress in bytes over all its layers. Raises MachineError with the engine's words."""
    repository, tag = parse_repository_tag(image)
    what = f"pull {image}"
    layers = Layers()
    try:
        for event in api.pull(repository, tag=tag or "latest", stream=True, decode=True):
            if "error" in event:
                raise _not_pulled(image, str(event["error"]))
            layers.event(event)
            _tell(report, Step(what, *layers.bytes()))
    except APIError as error:
        raise _not_pulled(image, str(error.explanation or error)) from error
    done, total = layers.bytes()
    _tell(report, Step(what, done, total, finished=True))


class Layers:
    """Adds up what a pull says of its layers one by one; pure."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event of the stream. Extracting counts its bytes anew, and so doesn't count."""
        layer, status = str(event.get("id", "")), str(event.get("status", ""))
        detail = event.get("progressDetail") or {}
        if status == "Downloading" and detail.get("total"):
            self._layers[layer] = int(detail.get("current", 0)), int(detail["total"])
        elif status in ("Download complete", "Pull complete") and layer in self._layers:
            total = self._layers[layer][1]
            self._layers[layer] = total, total

    def bytes(self) -> tuple[int, int | None]:
        """The bytes that are here, and of how many; None before the first layer's size is known."""
        done = sum(layer[0] for layer in self._layers.values())
        return done, sum(layer[1] for layer in self._layers.values()) or None


@at_the_edge
def build(
    api: docker.APIClient,
    image: str,
    build: Build,
    report: Report | None = None,
    *,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Build the image from its context, less what .dockerignore names. Raises MachineError with the last lines of
    the build's output."""
    if not build.context.is_dir():
        raise ComposeError(f"{image} can't be built: its context {build.context} is no folder")
    if not (build.context / build.dockerfile).is_file():
        raise ComposeError(f"{image} can't be built: there is no {build.context / build.dockerfile}")
    _follow(
        image,
        report,
        lambda: api.build(
            path=str(build.context),
            dockerfile=build.dockerfile,
            tag=image,
            target=build.target or None,
            buildargs=dict(build.args),
            labels=dict(labels or {}),
            rm=True,
            forcerm=True,
            decode=True,
        ),
        build.args,
    )


@at_the_edge
def build_from_archive(
    api: docker.APIClient,
    image: str,
    context: IO[bytes],
    dockerfile: str,
    report: Report | None = None,
    *,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Build the image from a context that is a tar archive."""
    _follow(
        image,
        report,
        lambda: api.build(
            fileobj=context,
            custom_context=True,
            dockerfile=dockerfile,
            tag=image,
            labels=dict(labels or {}),
            rm=True,
            forcerm=True,
            decode=True,
        ),
    )


@at_the_edge
def make_present(
    api: docker.APIClient, service: Service, report: Report | None = None, *, labels: Mapping[str, str] | None = None
) -> str:
    """The id of the service's image, which is built or pulled where it isn't there."""
    found = present(api, service.image)
    if found is None:
        if service.build is not None:
            build(api, service.image, service.build, report, labels=labels)
        else:
            pull(api, service.image, report)
        found = present(api, service.image)
    if found is None:
        raise MachineError(f"the image {service.image} vanished", out="try again")
    return found


_Events = Iterable[Mapping[str, Any]]


def _follow(
    image: str, report: Report | None, begin: Callable[[], _Events], args: Mapping[str, str] | None = None
) -> None:
    """Begin the build and read its output to the end; an error in it becomes ours."""
    what = f"build {image}"
    output: deque[str] = deque(maxlen=_SHOWN)
    known: dict[str, str] = {}  # the ARGs before FROM
    base = ""  # what the present step is FROM, if it is one
    _tell(report, Step(what))
    try:
        events = begin()
    except APIError as error:
        raise _not_built(image, str(error.explanation or error)) from error
    for event in events:
        for line in str(event.get("stream", "")).splitlines():
            step = _STEP.match(line)
            if step:
                instruction, rest = step["instruction"].upper(), step["rest"]
                if instruction == "ARG":
                    name, _, value = rest.partition("=")
                    known[name] = (args or {}).get(name, value)
                base = _VARIABLE.sub(lambda match: known.get(match[1], match[0]), rest) if instruction == "FROM" else ""
            if line.strip():
                output.append(_ESCAPES.sub("", line.rstrip()))
        if "error" in event:
            reason = str(event["error"]).strip()
            if base:
                raise MachineError(f"{image} can't be built: its base {base} can't be pulled", why=reason, out=WAY_OUT)
            raise _not_built(image, "\n".join([reason, *output]))
        _tell(report, Step(what))
    _tell(report, Step(what, finished=True))


def _not_built(image: str, reason: str) -> MachineError:
    return MachineError(f"{image} can't be built", why=reason, out="mend what the build says failed, then try again")


def _not_pulled(image: str, reason: str) -> MachineError:
    return MachineError(f"the image {image} can't be pulled", why=reason.strip(), out=WAY_OUT)


def _tell(report: Report | None, step: Step) -> None:
    if report is not None:
        report(step)
