"""What a container is made and allowed: build, entry point, labels, limits, hardening; pure.

Source: the Compose specification (services, build, deploy). Knows the notations, not what an engine does with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from alpesctl.errors import ComposeError
from alpesctl.stack import keys, values
from alpesctl.stack.model import Build, Hardening, Limits

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(?:b|([kmg])(?:i?b)?)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_LEAST_MEMORY = 6 * 1024**2  # bytes; Docker refuses less
_MOST_MEMORY = 2**63 - 1
_RESERVED = "com.docker.compose"

_Read = TypeVar("_Read")


def build(value: Any, directory: Path, variables: Mapping[str, str], path: str) -> Build | None:
    """How the image is built, short or long form; a relative context is relative to the project."""
    if value is None:
        return None
    body = {"context": value} if isinstance(value, str) else keys.check(value, keys.BUILD, path)
    return Build(
        context=(directory / str(body.get("context", "."))).resolve(),
        dockerfile=str(body.get("dockerfile", "Dockerfile")),
        target=str(body.get("target", "")),
        args=values.environment(body.get("args"), variables, f"{path}.args"),
    )


def entrypoint(value: Any, path: str) -> tuple[str, ...] | None:
    """The words of the entry point; () clears the image's, None leaves it."""
    return None if value is None else values.command(value, path)


def labels(value: Any, path: str) -> dict[str, str]:
    """Labels as a mapping or as a list of NAME=value; one without a value is empty."""
    found = {}
    for name, item in values.pairs(value, path).items():
        if name == _RESERVED or name.startswith(f"{_RESERVED}."):
            raise ComposeError(f"{path}.{name}: Compose reserves the labels {_RESERVED}.…", out="choose another name")
        found[name] = "" if item is None else values.scalar(item, f"{path}.{name}")
    return found


def hardening(body: Mapping[str, Any], path: str) -> Hardening:
    """read_only, cap_add, cap_drop, security_opt and tmpfs of a service."""
    tmpfs = body.get("tmpfs")
    mounts = values.texts([tmpfs] if isinstance(tmpfs, str) else tmpfs, f"{path}.tmpfs")
    for mount in mounts:
        if not mount.startswith("/"):
            raise ComposeError(f"{path}.tmpfs: {mount!r} is no absolute path", out="write /run or /run:size=64m")
    return Hardening(
        read_only=values.flag(body.get("read_only"), f"{path}.read_only"),
        cap_add=values.texts(body.get("cap_add"), f"{path}.cap_add"),
        cap_drop=values.texts(body.get("cap_drop"), f"{path}.cap_drop"),
        security_opt=values.texts(body.get("security_opt"), f"{path}.security_opt"),
        tmpfs=mounts,
    )


def limits(body: Mapping[str, Any], deploy: Mapping[str, Any], path: str) -> Limits:
    """mem_limit, cpus and pids_limit of a service, or deploy.resources.limits; where both speak, they must agree."""
    below = f"{path}.deploy.resources"
    resources = keys.check(deploy.get("resources") or {}, keys.RESOURCES, below)
    deployed = keys.check(resources.get("limits") or {}, keys.LIMITS, f"{below}.limits")

    def either(read: Callable[[Any, str], _Read], key: str, name: str) -> _Read | None:
        there = [
            (read(section[word], where), where)
            for section, word, where in (
                (body, key, f"{path}.{key}"),
                (deployed, name, f"{below}.limits.{name}"),
            )
            if section.get(word) is not None
        ]
        if len(there) == 2 and there[0][0] != there[1][0]:
            raise ComposeError(
                f"{there[0][1]}: {body[key]!r}, but {there[1][1]} is {deployed[name]!r}",
                why="Compose refuses two limits that say something different",
                out="write only one of them",
            )
        return there[0][0] if there else None

    return Limits(
        memory=either(memory, "mem_limit", "memory"),
        cpus=either(_cpus, "cpus", "cpus"),
        pids=either(_pids, "pids_limit", "pids"),
    )


def memory(value: Any, path: str) -> int | None:
    """Bytes of a size such as `512m`, `1.5gb` or a whole number; None for 0, which is no limit."""
    match = None if isinstance(value, bool | float) else _SIZE.fullmatch(str(value).strip())
    if match is None:
        raise ComposeError(f"{path}: {value!r} is no size", out="write it as 512m, 1.5gb or a whole number of bytes")
    size = int(Decimal(match[1]) * _UNITS[(match[2] or "").lower()])
    if size and not _LEAST_MEMORY <= size <= _MOST_MEMORY:
        raise ComposeError(
            f"{path}: {value!r} is {size} bytes", why="Docker takes 6m or more", out="write the unit: 512m, 1.5gb"
        )
    return size or None


def _cpus(value: Any, path: str) -> float | None:
    """Cores, a fraction too; None for 0, which is no limit."""
    try:
        cores = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        cores = math.nan
    if not math.isfinite(cores) or 0 < cores < 0.01 or cores < 0:
        raise ComposeError(f"{path}: {value!r} is no number of cores", out="write it as 0.5 or 2; at least 0.01")
    return cores or None


def _pids(value: Any, path: str) -> int | None:
    """How many processes and threads; None for -1 and 0, which are no limit."""
    if isinstance(value, bool) or not re.fullmatch(r"-1|\d{1,9}", str(value)):
        raise ComposeError(f"{path}: {value!r} is no number of processes", out="a whole number, or -1 for no limit")
    return max(int(value), 0) or None
