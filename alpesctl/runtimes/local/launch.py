"""What supervisor starts for a replica: reap what its last incarnation left, open its log, exec.

Standard library only, and run as a file: it stands between every restart and the program.
Its one argument is the replica's folder, which holds launch.json (mode 0600).
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
from pathlib import Path

LOG_BYTES = 256 * 1024 * 1024
LAUNCHES = "launches"  # grows by one byte a launch since the replica was started by hand


def leftovers_gone(folder: Path, *, timeout: float = 5.0) -> None:
    """Kill what the last incarnation left in its process group, such as nginx's workers.

    A process id isn't given out again while a group of that number exists; so if the leader is dead
    and the group is not, the group is ours.
    """
    try:
        record = json.loads((folder / "pid.json").read_text())
        group = int(record["pid"])
    except (OSError, ValueError, KeyError):
        return
    if record.get("boot") != boot() or group == os.getpid() or _alive(group):
        return
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return
        except PermissionError:
            return
        time.sleep(0.01)


def boot() -> str:
    """What tells one boot of this machine from another: process ids of an earlier one mean nothing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    return True


def open_log(folder: Path) -> None:
    """Point standard output and error at out.log, appending.

    The program writes its log itself: supervisor in between would cost a tenth of a core under load, and
    its death would break the pipe. A log that has grown large becomes out.log.1 at a start.
    """
    path = folder / "out.log"
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(folder / "out.log.1")
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def main() -> None:
    folder = Path(sys.argv[1])
    open_log(folder)
    launch = json.loads((folder / "launch.json").read_text())
    leftovers_gone(folder)
    with (folder / LAUNCHES).open("ab") as launches:
        launches.write(b".")
    partial = folder / "pid.json.new"
    partial.write_text(json.dumps({"pid": os.getpid(), "launched_at": time.time(), "boot": boot()}))
    partial.replace(folder / "pid.json")
    os.chdir(launch["cwd"])
    if launch["uid"] is not None:
        os.setgroups([])
        os.setgid(launch["gid"])
        os.setuid(launch["uid"])
    os.umask(0o077)
    try:
        os.execvpe(launch["argv"][0], launch["argv"], launch["environment"])
    except OSError as error:
        print(f"{launch['argv'][0]} can't be started: {error.strerror}", file=sys.stderr, flush=True)
        sys.exit(127)


if __name__ == "__main__":
    main()
