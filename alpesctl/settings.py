"""What a user may set without a flag: the only place of alpesctl that reads `ALPES_*` variables, or hands on all of the
environment. Where processes are started, PATH, TERM and the like are taken from it beside.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs


@dataclass(frozen=True)
class Settings:
    """`ALPES_*` variables. Folders default to the user's own cache and state directories; records
    default to the project's folder, under `runs/`. Plain, since every command waits for its import."""

    cache_dir: Path
    state_dir: Path
    runtime: str = "auto"
    records_dir: Path | None = None
    java_home: Path | None = None


def _default_state_dir() -> Path:
    # PostgreSQL refuses to run as root and so runs as another user there, which must reach its data.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/alpesctl")
    # Apple's folder has a space in its name, which not every program of the stack can take.
    if sys.platform == "darwin":
        return Path.home() / ".local" / "state" / "alpesctl"
    return platformdirs.user_state_path("alpesctl")


def _default_cache_dir() -> Path:
    if sys.platform == "darwin":
        return Path.home() / ".cache" / "alpesctl"
    return platformdirs.user_cache_path("alpesctl")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; a variable that is empty counts as not set."""
    return Settings(
        runtime=os.environ.get("ALPES_RUNTIME") or "auto",
        cache_dir=_path("ALPES_CACHE_DIR") or _default_cache_dir(),
        state_dir=_path("ALPES_STATE_DIR") or _default_state_dir(),
        records_dir=_path("ALPES_RECORDS_DIR"),
        java_home=_path("ALPES_JAVA_HOME"),
    )


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def process_environment() -> dict[str, str]:
    """The environment that alpesctl was called with, for interpolation and for the processes it starts."""
    return dict(os.environ)
