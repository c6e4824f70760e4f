"""What the contract tests do to a runtime, and what they ask of it from outside."""

from __future__ import annotations

import subprocess
import urllib.request
from dataclasses import dataclass

import psutil

from alpesctl.reconcile.apply import Applier
from alpesctl.reconcile.observed import observe
from alpesctl.reconcile.plan import Desired, plan_down, plan_up, with_dependencies
from alpesctl.runtimes.base import Replica, Runtime
from alpesctl.stack.model import Spec


@dataclass(frozen=True)
class Answer:
    """`instance` is another one after every start of the process that answers."""

    instance: str
    greeting: str


def _admin() -> object:
    raise AssertionError("this project has no broker")


def apply_up(runtime: Runtime, spec: Spec, counts: dict[str, int] | None = None) -> list[str]:
    """Bring up what is missing; returns the operations."""
    digests = {name: runtime.digest(service) for name, service in spec.services.items()}
    plan = plan_up(Desired(spec, with_dependencies(spec, ()), counts or {}, digests), observe(runtime, spec, None))
    Applier(runtime, spec, _admin).apply(plan)  # type: ignore[arg-type]
    return [str(operation) for operation in plan.operations]


def apply_down(runtime: Runtime, spec: Spec) -> None:
    Applier(runtime, spec, _admin).apply(plan_down(spec, observe(runtime, spec, None)))  # type: ignore[arg-type]
    runtime.teardown()


def in_shell(*lines: str) -> str:
    """Run the lines in a shell, as a person would; what they print. The first that fails ends it."""
    done = subprocess.run(
        ["bash", "-e"], input="\n".join(lines), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, "\n".join((*lines, done.stdout, done.stderr))
    return done.stdout


def get(runtime: Runtime, number: int) -> Answer:
    """What the replica of web answers."""
    return fetch(f"http://{runtime.endpoint('web', 8000, number)}/")


def fetch(url: str, *, timeout: float = 2.0) -> Answer:
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return Answer(*answer.read().decode().split(" ", 1))


def web(runtime: Runtime, number: int) -> Replica:
    return next(r for r in runtime.replicas(["web"]) if r.number == number)


def processes(runtime: Runtime, *numbers: int) -> list[psutil.Process]:
    """The processes of these replicas of web as this machine sees them: each one's main process, and its child."""
    found = []
    for number in numbers:
        pid = web(runtime, number).pid
        assert pid is not None, f"web-{number} doesn't run"
        main = psutil.Process(pid)
        children = main.children(recursive=True)
        assert len(children) == 1
        found += [main, *children]
    return found


def gone(process: psutil.Process) -> bool:
    """Whether the process has ended, reaped by its parent or not yet."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def left(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that haven't ended."""
    return [process for process in processes if not gone(process)]
