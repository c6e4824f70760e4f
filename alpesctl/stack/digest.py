"""The digest of a service's configuration, by parts: what changes it makes a replica be created anew, and why."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from alpesctl.stack.model import Service

UNKNOWN = "?"
"""The value of a part that can't be known, since another tool made the replica; it never differs."""

PARTS = {
    "command": ("entrypoint", "command", "working_dir", "init"),
    "environment": ("environment",),
    "health": ("health", "health_disabled"),
    "image": ("image",),
    "labels": ("labels",),
    "limits": ("limits",),
    "networks": ("networks",),
    "ports": ("ports",),
    "recipe": ("recipe", "listen", "external"),
    "restart": ("restart",),
    "security": ("user", "hardening"),
    "stop": ("stop_signal", "stop_grace"),
    "volumes": ("mounts",),
}
"""The fields of a Service in each part. `files` comes from what is bound; `environment` is one part a variable."""

NOT_OF_THE_REPLICA = ("name", "replicas", "depends_on", "build", "sources", "one_shot")
"""The fields that may change without a replica being created anew."""

_WORD = re.compile(r"([a-z_]+(?:\.[^\s=]+)?)=(\S+)")
_WORDING = {
    "files": "bound files",
    "sources": "code",
    "health": "health check",
    "security": "security settings",
    "stop": "way to stop",
}
_MOST_VARIABLES = 3


def digest(service: Service, **extra: str) -> str:
    """Words `part=hash` (8 digits of SHA-256), sorted, over what a replica of `service` is made from.

    `extra` adds parts, or replaces those of the same name; its values are hashed too, but for UNKNOWN.
    """
    body = asdict(service)
    parts = {part: _hash([body[field] for field in fields]) for part, fields in PARTS.items()}
    del parts["environment"]
    parts |= {environment_part(name): _hash(value) for name, value in service.environment.items()}
    parts["files"] = _hash(
        {
            mount.target: hashlib.sha256(Path(mount.source).read_bytes()).hexdigest()
            for mount in service.mounts
            if mount.kind == "bind" and Path(mount.source).is_file()
        }
    )
    for name, value in extra.items():
        parts = {part: found for part, found in parts.items() if _group(part) != name}
        parts[name] = value if value == UNKNOWN else _hash(value)
    return " ".join(f"{part}={parts[part]}" for part in sorted(parts))


def of_sources(folders: Sequence[Path]) -> str:
    """The digest of the Python files in these folders, by their paths and contents."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            found.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def environment_part(name: str) -> str:
    """The name of the part that is one variable's value."""
    return f"environment.{quote(name)}"


def changed(old: str, new: str) -> tuple[str, ...]:
    """The names of the parts that differ, sorted: `image`, `environment.NAME`; ("configuration",) where one of
    both can't be understood. A part that stands in one alone differs, one that is UNKNOWN in either doesn't."""
    if old == new:
        return ()
    before, after = _parts(old), _parts(new)
    if before is None or after is None:
        return ("configuration",)

    def unknown(part: str) -> bool:
        return any(UNKNOWN in (side.get(part), side.get(_group(part))) for side in (before, after))

    names = sorted(before.keys() | after.keys())
    return tuple(name for name in names if before.get(name) != after.get(name) and not unknown(name))


def wording(parts: tuple[str, ...]) -> str:
    """What `changed` found, for a sentence: `environment (PULSAR_MEM) and image`."""
    variables = [unquote(part.partition(".")[2]) for part in parts if part.startswith("environment.")]
    shown = ", ".join(variables) if len(variables) <= _MOST_VARIABLES else f"{len(variables)} variables"
    words = []
    for group in dict.fromkeys(map(_group, parts)):
        name = _WORDING.get(group, group)
        words.append(f"{name} ({shown})" if group == "environment" and variables else name)
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _group(part: str) -> str:
    return part.partition(".")[0]


def _parts(text: str) -> dict[str, str] | None:
    matches = [_WORD.fullmatch(word) for word in text.split()]
    return {match[1]: match[2] for match in matches if match} if matches and all(matches) else None


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:8]
