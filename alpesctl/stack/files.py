"""Finds and reads the compose file, what it includes, and .env. Understands nothing of what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from alpesctl.errors import ComposeError

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


def find(start: Path) -> Path:
    """The compose file of `start` or of the nearest folder above it, as Compose looks for it."""
    for folder in (start, *start.parents):
        for name in NAMES:
            if (folder / name).is_file():
                return folder / name
    raise ComposeError(
        f"no compose.yaml in {start} or in a folder above it",
        out="change into the project's folder, or name the file: alpesctl --file PATH …",
    )


def read(path: Path) -> Any:
    """The YAML document in `path`; a key that stands twice is an error."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ComposeError(f"{path} can't be read", why=str(error)) from error
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise ComposeError(f"{path} is no valid YAML", why=str(error)) from error


def variables(path: Path, *, out: str) -> dict[str, str]:
    """The variables of an env file; `out` is what to do where it isn't there."""
    if not path.is_file():
        raise ComposeError(f"the env file {path} does not exist", out=out)
    return {name: value or "" for name, value in dotenv_values(path, encoding="utf-8").items()}


# libyaml's own parser, where PyYAML was built with it, takes a tenth of the time; every command reads the file.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Loader):  # type: ignore[misc]
    """SafeLoader that refuses duplicate keys, which YAML forbids and PyYAML lets pass."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    "while reading a mapping",
                    node.start_mark,
                    f"the key {key.value!r} stands twice",
                    key.start_mark,
                )
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return found
