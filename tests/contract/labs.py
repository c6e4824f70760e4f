"""How the contract tests come by a runtime: one lab each, which can open it for any spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alpesctl.runtimes.base import Runtime
from alpesctl.runtimes.local.runtime import LocalRuntime
from alpesctl.stack.model import Spec


class Lab(Protocol):
    name: str

    def environment(self) -> Mapping[str, str]:
        """What the project's compose file is to be read with on this runtime."""
        ...

    def open(self, spec: Spec) -> Runtime:
        """A runtime of its own for the project."""
        ...


@dataclass(frozen=True)
class LocalLab:
    """All projects under one folder."""

    folder: Path
    name: str = "local"

    def environment(self) -> Mapping[str, str]:
        return {}

    def open(self, spec: Spec) -> LocalRuntime:
        return LocalRuntime(spec, state_dir=self.folder / "state", cache_dir=self.folder / "cache")

    def state(self, spec: Spec) -> Path:
        """The project's folder: supervisor's files, and `replicas/`."""
        return self.folder / "state" / spec.project


@dataclass(frozen=True)
class DockerLab:
    """The engine that answers. `python_image` has Python in it; "" is the compose file's own."""

    python_image: str = ""
    name: str = "docker"

    def environment(self) -> Mapping[str, str]:
        return {"CONTRACT_IMAGE": self.python_image} if self.python_image else {}

    def open(self, spec: Spec) -> Runtime:
        from alpesctl.runtimes.docker.runtime import DockerRuntime

        return DockerRuntime(spec)
