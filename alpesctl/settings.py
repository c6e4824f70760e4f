"""The only place of alpesctl that reads the environment: what a user may set without a flag."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`ALPES_*` variables. Folders default to the user's own cache and state directories; records
    default to the project's folder, under `runs/`."""

    model_config = SettingsConfigDict(env_prefix="ALPES_", extra="ignore")

    runtime: str = "auto"
    cache_dir: Path = Field(default_factory=lambda: _default_cache_dir())
    state_dir: Path = Field(default_factory=lambda: _default_state_dir())
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
    """The settings of this process."""
    return Settings()


def process_environment() -> dict[str, str]:
    """The environment that alpesctl was called with, for interpolation and for the processes it starts."""
    return dict(os.environ)
