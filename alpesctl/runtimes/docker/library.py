"""The images of a stack as one thing: which there are, pull them, build them and their stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alpesctl.errors import UsageError
from alpesctl.runtimes.base import Report
from alpesctl.runtimes.docker import images, stand_ins
from alpesctl.runtimes.docker.engine import at_the_edge, connect
from alpesctl.stack.model import Spec


@dataclass(frozen=True)
class Image:
    """An image that the stack uses. `id` and `size_bytes` are None where it isn't there; `origin` is built,
    pulled or stand-in."""

    name: str
    services: tuple[str, ...]
    origin: str
    id: str | None = None
    size_bytes: int | None = None


class ImageLibrary:
    """Needs an engine; raises MachineError where none answers."""

    @at_the_edge
    def __init__(self, spec: Spec, cache_dir: Path) -> None:
        self._spec = spec
        self._cache_dir = cache_dir
        self._api = connect()

    @at_the_edge
    def all(self) -> tuple[Image, ...]:
        """The images of the compose file's services, in its order."""
        ours = {stand_in.image for stand_in in self._spec.stand_ins.images} if self._spec.stand_ins else set()
        found = []
        for name, one in images.by_image(self._spec.services.values()).items():
            users = tuple(service.name for service in self._spec.services.values() if service.image == name)
            origin = "stand-in" if name in ours else "built" if one.build else "pulled"
            identity = images.present(self._api, name)
            size = int(self._api.inspect_image(name)["Size"]) if identity else None  # type: ignore[no-untyped-call]
            found.append(Image(name, users, origin, identity, size))
        return tuple(found)

    @at_the_edge
    def pull(self, report: Report | None = None) -> None:
        """Pull every image that the compose file doesn't say how to build. Raises MachineError at the first
        that can't be had."""
        for name, one in images.by_image(self._spec.services.values()).items():
            if one.build is None:
                images.pull(self._api, name, report)

    @at_the_edge
    def build_stand_ins(self, report: Report | None = None, *, force: bool = False) -> None:
        """Build the stand-ins that aren't there or were made from something else, or all of them. Raises UsageError
        where none are declared."""
        if self._spec.stand_ins is None:
            raise UsageError("this stack declares no stand-ins", out="add x-alpes.stand_ins to the compose file")
        stand_ins.build_stand_ins(
            self._api, self._spec.stand_ins, self._spec.directory, self._cache_dir, report, force=force
        )

    @at_the_edge
    def build(self, report: Report | None = None) -> None:
        """Build anew what the compose file says how to build."""
        for name, one in images.by_image(self._spec.services.values()).items():
            if one.build is not None:
                images.build(self._api, name, one.build, report)
