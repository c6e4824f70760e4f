"""Compose's variable interpolation, pure: `$VAR`, `${VAR}`, `:-`, `-`, `:?`, `?`, `:+`, `+`, `$$`.

Source: the Compose specification, chapter Interpolation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alpesctl.errors import ComposeError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")


def interpolate(value: Any, variables: Mapping[str, str], path: str = "") -> Any:
    """Every string in `value` (nested lists and mappings too) with its variables replaced.

    Keys stay as they are. Raises ComposeError with the path of the string that can't be interpolated.
    """
    if isinstance(value, str):
        return _text(value, variables, path)
    if isinstance(value, list):
        return [interpolate(item, variables, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: interpolate(item, variables, f"{path}.{key}" if path else str(key)) for key, item in value.items()}
    return value


def _text(text: str, variables: Mapping[str, str], path: str) -> str:
    out: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0:
        out.append(text[position:dollar])
        rest = text[dollar + 1 :]
        if rest.startswith("$"):
            out.append("$")
            position = dollar + 2
        elif rest.startswith("{"):
            end = _closing_brace(text, dollar + 1, path)
            out.append(_expression(text[dollar + 2 : end], variables, path))
            position = end + 1
        elif match := _NAME.match(rest):
            out.append(_required(match.group(), variables, path))
            position = dollar + 1 + match.end()
        else:
            raise ComposeError(f"{path}: a lone $ in {text!r}", out="write $$ for a dollar sign")
    out.append(text[position:])
    return "".join(out)


def _closing_brace(text: str, start: int, path: str) -> int:
    depth = 0
    for index in range(start, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    raise ComposeError(f"{path}: no closing brace in {text!r}", out="write ${NAME} or ${NAME:-default}")


def _expression(expression: str, variables: Mapping[str, str], path: str) -> str:
    match = _NAME.match(expression)
    if match is None:
        raise ComposeError(f"{path}: ${{{expression}}} has no variable name", out="write ${NAME:-default}")
    name, rest = match.group(), expression[match.end() :]
    if not rest:
        return _required(name, variables, path)
    operator = next((o for o in _OPERATORS if rest.startswith(o)), None)
    if operator is None:
        raise ComposeError(f"{path}: ${{{expression}}} can't be read", out="write ${NAME:-default}")
    argument = rest[len(operator) :]
    value = variables.get(name)
    present = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("-"):
        return value if present and value is not None else _text(argument, variables, path)
    if operator.endswith("+"):
        return _text(argument, variables, path) if present else ""
    if present and value is not None:
        return value
    raise ComposeError(
        f"{path}: the variable {name} is missing",
        why=_text(argument, variables, path) or "the compose file requires it",
        out=f"set {name} in .env or in the environment",
    )


def _required(name: str, variables: Mapping[str, str], path: str) -> str:
    if name not in variables:
        raise ComposeError(
            f"{path}: the variable {name} is missing",
            why="it is neither in the environment nor in .env, and has no default here",
            out=f"set {name} in .env, or write ${{{name}:-default}}",
        )
    return variables[name]
