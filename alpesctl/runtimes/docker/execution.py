"""Commands and signals inside a running container."""

from __future__ import annotations

import os
import queue
import signal as signals
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError

from alpesctl.errors import AlpesError, UsageError
from alpesctl.runtimes.base import ExecResult
from alpesctl.runtimes.docker.engine import FOREVER, connect
from alpesctl.runtimes.docker.observing import Inspected

_POLL = 0.02
_FREEZING_TRIES = 20


def execute(api: docker.APIClient, container: str, command: Sequence[str], *, timeout: float) -> ExecResult:
    """Run the command and wait for its end, at most `timeout` seconds. Raises UsageError where it isn't there."""
    made = api.exec_create(container, list(command))["Id"]
    answer: queue.Queue[Any] = queue.Queue()
    # The SDK waits for the command's output without a limit, so another thread does.
    threading.Thread(target=_read_exec, args=(made, answer), daemon=True).start()
    try:
        found = answer.get(timeout=timeout)
    except queue.Empty:
        raise AlpesError(
            f"{command[0]} did not end within {timeout:.0f} s",
            out=f"docker top {container[:12]} shows whether it runs",
        ) from None
    if isinstance(found, Exception):
        if "executable file not found" in str(found) or "no such file" in str(found):
            raise UsageError(f"{command[0]} is not there", why=str(found)) from found
        raise found
    code, stdout, stderr = found
    refuse_missing(command, code, stdout + stderr)
    return ExecResult(code, stdout, stderr)


def freeze(api: docker.APIClient, container: str) -> None:
    """Pause the container. On cgroup v1 the kernel may give up on one that is busy; it is asked again then."""
    for left in reversed(range(_FREEZING_TRIES)):
        try:
            api.pause(container)
        except APIError as error:
            if not left or "unable to freeze" not in str(error.explanation):
                raise
            time.sleep(_POLL)
        else:
            return


def refuse_missing(command: Sequence[str], code: int, output: str) -> None:
    """Raise UsageError where the engine, not the command, says that it isn't there."""
    missing = ("executable file not found", "no such file")
    if (
        code in (126, 127)
        and output.startswith("OCI runtime exec failed")
        and any(words in output for words in missing)
    ):
        raise UsageError(f"{command[0]} is not there", why=output.strip())


def signal_on_this_machine(inspected: Inspected, wanted: signals.Signals) -> bool:
    """Send the signal straight to the container's main process; whether that could be done from here."""
    return signal_process(inspected, int(inspected["State"].get("Pid", 0)), wanted)


def kill_frozen(api: docker.APIClient, inspected: Inspected) -> None:
    """SIGKILL to all processes of a paused container but the main one, where that can be done from here.

    The engine kills the main one, and thaws all for it: a moment in which the others run, and may do what
    they were frozen before.
    """
    main = int(inspected["State"].get("Pid", 0))
    told = api.top(inspected["Id"])
    column = told["Titles"].index("PID")
    for process in told["Processes"] or ():
        if int(process[column]) != main:
            signal_process(inspected, int(process[column]), signals.SIGKILL)


def signal_process(inspected: Inspected, pid: int, wanted: signals.Signals) -> bool:
    """Send the signal to a process of the container; whether that could be done from here."""
    try:
        if pid and str(inspected["Id"]) in Path(f"/proc/{pid}/cgroup").read_text():
            os.kill(pid, wanted)
            return True
    except OSError:  # another user's, or just gone
        pass
    return False


def _read_exec(made: str, answer: queue.Queue[Any]) -> None:
    """Run a command that was created, and hand over its exit code, output and errors, or what was raised."""
    try:
        client = connect(timeout=FOREVER)
        try:
            out, err = client.exec_start(made, demux=True)
            code = client.exec_inspect(made)["ExitCode"]
            while code is None:  # its output has ended a moment before it
                time.sleep(_POLL)
                code = client.exec_inspect(made)["ExitCode"]
        finally:
            client.close()
        answer.put((int(code), *((text or b"").decode(errors="replace") for text in (out, err))))
    except Exception as error:  # noqa: BLE001  # handed over to the thread that waits
        answer.put(error)
