"""Compose's scalar notations, pure: texts, ports, durations, mounts, commands, environment."""

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
        try:
            return tuple(shlex.split(value))
        except ValueError as error:
            raise ComposeError(
                f"{path}: {value!r} can't be split into words", why=str(error), out="write a list of words"
            ) from error
    if isinstance(value, list):
        return tuple(scalar(word, f"{path}[{index}]") for index, word in enumerate(value))
    raise ComposeError(f"{path}: a command is a list of words or one line, not {value!r}")


def environment(value: Any, variables: Mapping[str, str], path: str) -> dict[str, str]:
    """Environment as a mapping or as a list of NAME=value; a bare NAME takes the caller's value."""
    result = {}
    for name, item in pairs(value, path).items():
        if item is not None:
            result[name] = scalar(item, f"{path}.{name}")
        elif name in variables:
            result[name] = variables[name]
    return result


def pairs(value: Any, path: str) -> dict[str, Any]:
    """What a mapping or a list of NAME=value holds; None for a name without a value."""
    if value is None:
        return {}
    if isinstance(value, dict):
        found = value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if not isinstance(item, str):
                raise ComposeError(f"{path}[{index}]: {item!r} is no text", out='write "NAME=value"')
        found = {name: text if mark else None for name, mark, text in (item.partition("=") for item in value)}
    else:
        raise ComposeError(f"{path}: a mapping or a list of NAME=value is expected, not {value!r}")
    for name in found:
        if not isinstance(name, str) or not name:
            raise ComposeError(f"{path}: {name!r} is no name", out="a name is text, and not empty")
    return found


def scalar(value: Any, path: str) -> str:
    """The text of a text or a number; a truth value of YAML is neither."""
    if isinstance(value, bool):
        raise ComposeError(f"{path}: {value} is a YAML truth value", out=f'write "{str(value).lower()}"')
    if value is None or isinstance(value, dict | list):
        raise ComposeError(f"{path}: text or a number is expected, not {value!r}")
    return str(value)


def text(value: Any, path: str) -> str:
    """A text, "" where there is none; what YAML reads as something else (10:20 is a number) is an error."""
    if value is not None and not isinstance(value, str):
        raise ComposeError(f"{path}: text is expected, not {value!r}", out="put it in quotes")
    return value or ""


def texts(value: Any, path: str) -> tuple[str, ...]:
    """A list of texts, none of them twice."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ComposeError(f"{path}: a list of texts is expected, not {value!r}")
    for index, item in enumerate(value):
        if not text(item, f"{path}[{index}]"):
            raise ComposeError(f"{path}[{index}] is empty")
        if item in value[:index]:
            raise ComposeError(f"{path}[{index}]: {item!r} stands twice")
    return tuple(value)


def flag(value: Any, path: str) -> bool:
    """A truth value, as text too, since variables are text; absent is false."""
    if value is not None and not isinstance(value, bool) and value not in ("true", "false"):
        raise ComposeError(f"{path}: {value!r} is neither true nor false", out="write true or false")
    return value in (True, "true")


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
            why="nothing guards it but what the compose file says, passwords included",
            out=f"write 127.0.0.1:{result.host_first}:{result.container}",
        )
    return result


def ports(value: Any, path: str) -> tuple[Port, ...]:
    """The published ports of a service, each container port once."""
    found: list[Port] = []
    for index, item in enumerate(value):
        new = port(item, f"{path}[{index}]")
        for before, old in enumerate(found):
            if old.container == new.container:
                raise ComposeError(
                    f"{path}[{index}]: the container's port {new.container} is published already, by {path}[{before}]",
                    why="alpesctl publishes each port of a container once, and one of both would be lost",
                    out=f"keep one of them; a range gives each replica its own: 127.0.0.1:8010-8029:{new.container}",
                )
        found.append(new)
    return tuple(found)


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
