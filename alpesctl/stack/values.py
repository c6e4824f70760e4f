"""Compose's scalar notations, pure: ports, durations, mounts, commands, environment."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from alpesctl.errors import ComposeError
from alpesctl.stack import keys
from alpesctl.stack.model import Mount, Port

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(value: Any, path: str) -> float:
    """Seconds of a Compose duration such as `1m30s`."""
    text = str(value).strip()
    if not text or not re.fullmatch(rf"(?:{_DURATION.pattern})+", text):
        raise ComposeError(f"{path}: {value!r} is no duration", out="write it as 30s, 1m30s or 500ms")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def command(value: Any, path: str) -> tuple[str, ...]:
    """The words of a command, given as a list or as one line."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(shlex.split(value))
    if isinstance(value, list):
        return tuple(str(word) for word in value)
    raise ComposeError(f"{path}: a command is a list of words or one line, not {value!r}")


def environment(value: Any, variables: Mapping[str, str], path: str) -> dict[str, str]:
    """Environment as a mapping or as a list of NAME=value; a bare NAME takes the caller's value."""
    if value is None:
        return {}
    pairs: list[tuple[str, Any]]
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [(name, text if mark else None) for name, mark, text in (str(i).partition("=") for i in value)]
    else:
        raise ComposeError(f"{path}: environment is a mapping or a list of NAME=value, not {value!r}")
    result = {}
    for name, item in pairs:
        if item is None:
            if str(name) in variables:
                result[str(name)] = variables[str(name)]
        elif isinstance(item, bool):
            raise ComposeError(f"{path}.{name}: {item} is a YAML truth value", out=f'write "{str(item).lower()}"')
        else:
            result[str(name)] = str(item)
    return result


def port(value: Any, path: str) -> Port:
    """A published port, short or long form; only loopback addresses are allowed."""
    if isinstance(value, dict):
        checked = keys.check(value, keys.PORT, path)
        text = f"{checked.get('host_ip', '')}:{checked.get('published', '')}:{checked.get('target', '')}"
    else:
        text = str(value)
    text, _, protocol = text.partition("/")
    host_ip, _, rest = text.rpartition(":")[0].rpartition(":")
    container = text.rpartition(":")[2]
    if protocol not in ("", "tcp"):
        raise ComposeError(f"{path}: only tcp ports are supported, not {protocol}")
    try:
        first, _, last = (rest or container).partition("-")
        result = Port(int(container), int(first), int(last or first), host_ip.strip("[]"))
    except ValueError as error:
        raise ComposeError(
            f"{path}: {value!r} is no port", out="write 127.0.0.1:8010:8010 or 127.0.0.1:8010-8029:8010"
        ) from error
    numbers = (result.container, result.host_first, result.host_last)
    if not all(1 <= number <= 65535 for number in numbers) or result.host_first > result.host_last:
        raise ComposeError(f"{path}: {value!r}: ports go from 1 to 65535, a range from low to high")
    if not _loopback(result.host_ip):
        raise ComposeError(
            f"{path}: {value!r} would be published beyond this machine",
            why="the demo's passwords are public, and there are no API keys",
            out=f"write 127.0.0.1:{result.host_first}:{result.container}",
        )
    return result


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def mount(value: Any, directory: Path, volumes: tuple[str, ...], path: str) -> Mount:
    """A volume or bind mount, short or long form; a relative source is relative to the project."""
    if isinstance(value, dict):
        long = keys.check(value, keys.MOUNT, path)
        source, target = str(long.get("source", "")), str(long.get("target", ""))
        read_only = bool(long.get("read_only", False))
    else:
        parts = str(value).split(":")
        if len(parts) not in (2, 3):
            raise ComposeError(f"{path}: {value!r} is no mount", out="write volume:/path or ./file:/path:ro")
        source, target = parts[0], parts[1]
        read_only = "ro" in (parts[2].split(",") if len(parts) == 3 else [])
    if source.startswith((".", "/", "~")):
        return Mount("bind", str((directory / Path(source).expanduser()).resolve()), target, read_only)
    if source not in volumes:
        raise ComposeError(f"{path}: the volume {source!r} is not declared", out="add it under volumes:")
    return Mount("volume", source, target, read_only)
