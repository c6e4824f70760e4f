"""Runs a command beside a replica: in its environment and its folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from alpesctl.errors import AlpesError, UsageError
from alpesctl.runtimes.base import ExecResult


def execute(environment: Mapping[str, str], cwd: str, command: Sequence[str], *, timeout: float) -> ExecResult:
    """Run it to its end, within `timeout` seconds. Raises UsageError where the program isn't there, AlpesError where
    it does not end in time."""
    try:
        done = subprocess.run(
            list(command),
            env=environment,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError(f"{command[0]} is not there", why=str(error)) from error
    except subprocess.TimeoutExpired as error:
        raise AlpesError(f"{command[0]} did not end within {timeout:.0f} s") from error
    return ExecResult(done.returncode, done.stdout, done.stderr)


def attach(environment: Mapping[str, str], cwd: str, command: Sequence[str], *, terminal: bool) -> int:
    """Run it on this process's own input and output; returns its exit code, 128 + the signal that ended it.
    Raises UsageError where the program isn't there."""
    if terminal and "TERM" in os.environ:
        environment = {**environment, "TERM": os.environ["TERM"]}
    try:
        process = subprocess.Popen(list(command), env=environment, cwd=cwd)
    except (FileNotFoundError, PermissionError) as error:
        raise UsageError(f"{command[0]} is not there", why=str(error)) from error
    while True:
        try:
            code = process.wait()
            return code if code >= 0 else 128 - code
        except KeyboardInterrupt:  # it got the signal too, and says itself when it ends
            continue
