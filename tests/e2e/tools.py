"""Pulsar's own programs, the outside judges."""

from __future__ import annotations

import subprocess

from tests.e2e.conftest import ROOT, Stack


def tool(stack: Stack, name: str, *words: str) -> str:
    """What one of Pulsar's own programs says, run beside the broker."""
    if stack.runtime == "docker":
        command = ["docker", "exec", f"{stack.project_name}-pulsar-1", f"bin/{name}", *words]
    else:
        command = stack.command("exec", "pulsar", "--", f"bin/{name}", *words)
    done = subprocess.run(
        command, cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
