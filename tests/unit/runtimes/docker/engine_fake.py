"""A Docker engine, as far as images need one; and where the images' files lie."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import ImageNotFound

ROOT = Path(__file__).parents[4]
IMAGES = ROOT / "compose" / "images"


class Engine:
    """Pulls and builds what it was told to have, and remembers what it was asked."""

    def __init__(self, *events: dict[str, Any], there: tuple[str, ...] = (), imported: str = "") -> None:
        self.events = events
        self.there = {name: f"sha256:{name}" for name in there}
        self.labels: dict[str, Mapping[str, str]] = {}
        self.built: list[dict[str, Any]] = []
        self.imported = imported

    def client(self) -> docker.APIClient:
        return cast("docker.APIClient", self)

    def inspect_image(self, image: str) -> dict[str, Any]:
        if image not in self.there:
            raise ImageNotFound(f"no such image: {image}")
        return {"Id": self.there[image], "Size": 1, "Config": {"Labels": self.labels.get(image)}}

    def pull(self, repository: str, tag: str, **_: Any) -> Iterator[dict[str, Any]]:
        yield from self.events
        self.there[f"{repository}:{tag}"] = "sha256:pulled"

    def build(self, **asked: Any) -> Iterator[dict[str, Any]]:
        if "fileobj" in asked:
            with tarfile.open(fileobj=asked["fileobj"]) as context:
                asked["names"] = context.getnames()
        self.built.append(asked)
        self.labels[asked["tag"]] = asked["labels"]
        return self._output(asked["tag"])

    def _output(self, tag: str) -> Iterator[dict[str, Any]]:
        yield from self.events
        self.there[tag] = f"sha256:built {len(self.built)}"

    def import_image_from_file(self, path: str, repository: str, tag: str, changes: list[str]) -> str:
        with tarfile.open(path) as archive:
            self.built.append({"tag": f"{repository}:{tag}", "names": archive.getnames()})
        self.there[f"{repository}:{tag}"] = f"sha256:imported {len(self.built)}"
        written = [change.removeprefix("LABEL ").partition("=") for change in changes if change.startswith("LABEL ")]
        self.labels[f"{repository}:{tag}"] = {name: value for name, _, value in written}
        return self.imported
