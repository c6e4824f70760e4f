"""Reads `x-alpes.stand_ins`: images built here in place of those that can't be pulled. Builds nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alpesctl.errors import ComposeError
from alpesctl.stack import keys, values
from alpesctl.stack.interpolate import interpolate
from alpesctl.stack.model import StandIn, StandIns

_PATH = "x-alpes.stand_ins"
_SUITE = re.compile(r"[a-z][a-z0-9.-]*")


def load_stand_ins(value: Any, directory: Path) -> StandIns | None:
    """`x-alpes.stand_ins`, or None where the stack declares none; paths are relative to the project."""
    if value is None:
        return None
    body = keys.check(value, keys.X_STAND_INS, _PATH, extensions=False)
    raw = body.get("images")
    if not isinstance(raw, list) or not raw:
        raise ComposeError(f"{_PATH}.images: a list of images is expected, not {raw!r}")
    images: list[StandIn] = []
    for index, item in enumerate(raw):
        image = _stand_in(item, directory, f"{_PATH}.images[{index}]")
        if any(image.image == other.image for other in images):
            raise ComposeError(f"{_PATH}.images[{index}].image: {image.image} stands twice")
        images.append(image)
    return StandIns(directory / _required(body, "env_file", _PATH), tuple(images))


def env_file(value: Any, directory: Path, variables: Mapping[str, str]) -> Path:
    """Where the stand-ins' variables stand, from `x-alpes.stand_ins` as it was before interpolation.

    Raises ComposeError where the stack declares no stand-ins.
    """
    if value is None:
        raise ComposeError(
            "this stack declares no stand-ins",
            why=f"the compose file has no {_PATH}",
            out="add it, or use the images that the compose file names",
        )
    body = keys.check(value, keys.X_STAND_INS, _PATH, extensions=False)
    return directory / str(interpolate(_required(body, "env_file", _PATH), variables, f"{_PATH}.env_file"))


def _stand_in(value: Any, directory: Path, path: str) -> StandIn:
    body = keys.check(value, keys.X_STAND_IN, path, extensions=False)
    image = _required(body, "image", path)
    debootstrap, dockerfile, recipe = (
        values.text(body.get(key), f"{path}.{key}") for key in ("debootstrap", "dockerfile", "recipe")
    )
    if bool(debootstrap) == bool(dockerfile):
        raise ComposeError(f"{path}: {image} needs either debootstrap or dockerfile", out="write exactly one of them")
    if debootstrap and not _SUITE.fullmatch(debootstrap):
        raise ComposeError(f"{path}.debootstrap: {debootstrap!r} is no Debian suite", out="write it as bookworm")
    if recipe and not dockerfile:
        raise ComposeError(f"{path}.recipe: a recipe's files are for a dockerfile", out="remove it")
    return StandIn(image, debootstrap, directory / dockerfile if dockerfile else None, recipe)


def _required(body: Mapping[str, Any], key: str, path: str) -> str:
    text = values.text(body.get(key), f"{path}.{key}")
    if not text:
        raise ComposeError(f"{path}.{key} is missing")
    return text
