"""What the local runtime does, as the `supervisorctl` commands that a person would type. Runs none of them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from alpesctl.runtimes.base import Call
from alpesctl.runtimes.local import processes
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.stack.model import Spec

_OWN = ("PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL")  # a person's shell has its own


def lines(state: ProjectState, spec: Spec, call: Call, service: str, number: int, pid: int | None) -> list[str]:
    """The lines for one call on one replica, whose process is `pid`."""
    program = f"{service}-{number}"
    record = state.record(service, number)
    match call:
        case "prepare":
            running = state.supervisor_pid.exists()
            return [] if running else ["# alpesctl fetches the programs, and starts the project's supervisord"]
        case "create":
            return [f"# no command: alpesctl up writes the files of {program} and tells supervisord of it"]
        case "start" | "stop" | "remove":
            return [_control(state, call, program)]
        case "unpause":
            frozen = [str(process.pid) for process in processes.tree(pid)] if pid else []
            return [f"kill -CONT {' '.join(frozen)}"] if frozen else [f"# {program} does not run"]
        case "refresh_routes":
            balancers = [r.program for r in state.records() if r.recipe == "nginx"]
            written = "# alpesctl writes the replicas' addresses into nginx's file first"
            return [written, *(_control(state, "signal HUP", balancer) for balancer in balancers)]
        case "await_healthy" if record and record.health_url:
            return [f"until curl -sf {shlex.quote(record.health_url)} >/dev/null; do sleep 1; done"]
        case "await_healthy" if record and record.health_command:
            environment, cwd = state.launch(service, number)
            return [f"until {beside(environment, cwd, record.health_command)} >/dev/null; do sleep 1; done"]
        case "await_healthy":
            return [f"until {_control(state, 'status', program)} | grep -q RUNNING; do sleep 1; done"]
        case "wait":
            return [f"until {_control(state, 'status', program)} | grep -q EXITED; do sleep 1; done"]


def beside(environment: Mapping[str, str], cwd: str, command: Sequence[str]) -> str:
    """The line that runs a command in a replica's environment and folder."""
    own = [f"{k}={v}" for k, v in environment.items() if k not in _OWN and os.environ.get(k) != v]
    return shlex.join(["env", "-C", cwd, *own, *command])


def _control(state: ProjectState, action: str, program: str) -> str:
    tool = Path(sys.executable).with_name("supervisorctl")
    return f"{shlex.quote(str(tool))} -s {shlex.quote(f'unix://{state.socket}')} {action} {program}"
