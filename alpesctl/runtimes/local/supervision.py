"""supervisor, as the local runtime uses it: one supervisord a project, one program a replica, XML-RPC."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast
from xml.parsers.expat import ExpatError

import psutil
from supervisor.xmlrpc import SupervisorTransport

from alpesctl.errors import MachineError
from alpesctl.runtimes.local import processes
from alpesctl.runtimes.local.state import ProjectState, ReplicaRecord

# supervisor's process states, from its documentation.
STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED = 0, 10, 20, 30, 40, 100

_FILES = 65536
_FAULT_BAD_NAME, _FAULT_NOT_RUNNING, _FAULT_ALREADY_STARTED = 10, 70, 60


class Supervisor:
    """Talks to the project's supervisord, and starts it when asked."""

    def __init__(self, state: ProjectState) -> None:
        self._state = state

    # -- supervisord itself ----------------------------------------------------------------------

    def pid(self) -> int | None:
        """supervisord's process id while it runs."""
        try:
            pid = int(self._state.supervisor_pid.read_text())
            process = psutil.Process(pid)
            command = " ".join(process.cmdline())
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if str(self._state.supervisor_conf) in command else None

    def running(self) -> bool:
        return self.pid() is not None

    def ensure(self) -> None:
        """Start supervisord unless it runs; returns once it answers. Raises MachineError when it won't."""
        if self.running():
            return
        self._state.ensure()
        self._state.socket.unlink(missing_ok=True)
        self._state.supervisor_conf.write_text(self._configuration())
        command = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord"]
        done = subprocess.run(
            [*command, "-c", str(self._state.supervisor_conf)],
            cwd=self._state.folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._state.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        deadline = time.monotonic() + 10
        while done.returncode == 0 and time.monotonic() < deadline:
            with contextlib.suppress(OSError, xmlrpc.client.Error), self._rpc() as supervisor:
                supervisor.getState()
                return
            time.sleep(0.02)
        raise MachineError(
            "supervisord does not start",
            why=(done.stderr or done.stdout).strip() or f"see {self._state.supervisor_log}",
            out="alpesctl down, then alpesctl up",
        )

    def shutdown(self) -> None:
        """End supervisord and wait until it is gone."""
        pid = self.pid()
        if pid is None:
            return
        with contextlib.suppress(OSError, xmlrpc.client.Error), self._rpc() as supervisor:
            supervisor.shutdown()
        with contextlib.suppress(psutil.NoSuchProcess):
            # One that has ended is gone, though its new parent may take seconds to reap it.
            for process in processes.wait_gone([psutil.Process(pid)], timeout=60):
                process.kill()

    def _configuration(self) -> str:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        user = "user=root\n" if os.geteuid() == 0 else ""
        state = self._state
        return (
            f"[unix_http_server]\nfile={state.socket}\nchmod=0700\n\n"
            f"[supervisord]\nlogfile={state.supervisor_log}\nlogfile_maxbytes=5MB\nlogfile_backups=1\n"
            f"pidfile={state.supervisor_pid}\nchildlogdir={state.folder}\nminfds={files}\n"
            f"nodaemon=false\nnocleanup=true\numask=022\n{user}\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\n"
            # Relative to this file: supervisor splits the list at spaces.
            f"[include]\nfiles = {state.programs_conf.name}/*.conf\n"
        ).replace("%", "%%")

    @contextlib.contextmanager
    def _rpc(self) -> Iterator[Any]:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._state.socket}")
        try:
            yield xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor
        finally:
            transport.close()

    def _call(self, call: Callable[[Any], Any], *, ignore: tuple[int, ...] = ()) -> Any:
        try:
            with self._rpc() as supervisor:
                return call(supervisor)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in ignore:
                return None
            raise MachineError(
                "supervisor refused an operation",
                why=fault.faultString,
                out=f"see {self._state.supervisor_log}",
            ) from fault
        except (OSError, HTTPException, xmlrpc.client.ProtocolError, ExpatError) as error:
            raise MachineError(
                "supervisord does not answer", why=str(error), out="alpesctl down, then alpesctl up"
            ) from error

    # -- programs --------------------------------------------------------------------------------

    def add(self, record: ReplicaRecord, folder: Path) -> None:
        """Make the replica known, not started; one that is known is replaced."""
        self.remove(record.program)
        launcher = Path(__file__).with_name("launch.py")
        # supervisor reads % as a format; nothing of the environment stands here.
        lines = {
            "command": f'"{sys.executable}" -I -S "{launcher}" "{folder}"',
            "directory": str(folder),
            "autostart": "false",
            "autorestart": "true" if record.autorestart else "unexpected" if record.on_failure else "false",
            "startsecs": "0" if record.one_shot else "1",
            "startretries": "1000000",
            "stopsignal": record.stop_signal.removeprefix("SIG"),
            "stopwaitsecs": str(max(1, round(record.stop_grace))),
            "killasgroup": "true",
            # The launcher opens the log; supervisor sees none of it.
            "stdout_logfile": "NONE",
            "stderr_logfile": "NONE",
        }
        body = "".join(f"{key}={value.replace('%', '%%')}\n" for key, value in lines.items())
        (self._state.programs_conf / f"{record.program}.conf").write_text(f"[program:{record.program}]\n{body}")
        self._call(lambda s: s.reloadConfig())
        self._call(lambda s: s.addProcessGroup(record.program))

    def remove(self, program: str) -> None:
        """Forget a replica that doesn't run; one that isn't known is no error."""
        conf = self._state.programs_conf / f"{program}.conf"
        if not conf.exists():
            return
        self._call(lambda s: s.removeProcessGroup(program), ignore=(_FAULT_BAD_NAME,))
        conf.unlink()
        self._call(lambda s: s.reloadConfig())

    def start(self, program: str) -> None:
        self._call(lambda s: s.startProcess(program, False), ignore=(_FAULT_ALREADY_STARTED,))

    def stop(self, program: str, *, wait: bool) -> None:
        """The stop signal; it isn't started again. With `wait`, until it is gone."""
        self._call(lambda s: s.stopProcess(program, wait), ignore=(_FAULT_NOT_RUNNING,))

    def signal(self, program: str, name: str) -> None:
        self._call(lambda s: s.signalProcess(program, name.removeprefix("SIG")), ignore=(_FAULT_NOT_RUNNING,))

    def info(self) -> dict[str, dict[str, Any]]:
        """supervisor's view of every program, by name; empty while supervisord doesn't run."""
        if not self.running():
            return {}
        entries = cast(list[dict[str, Any]], self._call(lambda s: s.getAllProcessInfo()))
        return {str(entry["name"]): entry for entry in entries}

    def last_signal(self, program: str) -> int | None:
        """The signal that ended the program last, which supervisor only tells its log."""
        try:
            text = self._state.supervisor_log.read_text(errors="replace")
        except OSError:
            return None
        ends = re.findall(rf"(?:exited|stopped): {re.escape(program)} \((terminated by (SIG\w+)|[^)]*)", text)
        if not ends or not ends[-1][1]:
            return None
        import signal

        member = getattr(signal, ends[-1][1], None)
        return int(member) if member is not None else None
