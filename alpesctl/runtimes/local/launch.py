"""What supervisor starts for a replica: reap the last incarnation's leftovers, record the process, exec.

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


def leftovers_gone(folder: Path, *, timeout: float = 5.0) -> None:
    """Kill what the last incarnation left in its process group, such as nginx's workers.

    A process id isn't given out again while a group of that number exists; so if the leader is dead
    and the group is not, the group is ours.
    """
    try:
        group = int(json.loads((folder / "pid.json").read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return
    if group == os.getpid() or _alive(group):
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


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    return True


def main() -> None:
    folder = Path(sys.argv[1])
    launch = json.loads((folder / "launch.json").read_text())
    leftovers_gone(folder)
    partial = folder / "pid.json.new"
    partial.write_text(json.dumps({"pid": os.getpid(), "launched_at": time.time()}))
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
