"""The tree of errors: each has a code, an exit code, and a way out. Adapters translate into these.

AlpesError
├── UsageError          2  wrong usage: an argument, a scenario file
│   └── ComposeError    2  compose.yaml or .env can't be used, with the path of the key
├── StackDownError      3  the stack, or the part that is needed, isn't up
│   └── UnhealthyError  3  a part is up, but not healthy, or a one-shot service failed
├── MachineError        4  the machine lacks something: a port, Java, an engine, disk
│   └── ForeignError    4  the project is another folder's
└── InterruptedRun    130  Ctrl-C, with what was started undone or named
"""

from __future__ import annotations


class AlpesError(Exception):
    """An error that a person can act on: `what` failed, `why`, and the way `out`."""

    code = "error"
    exit_code = 1

    def __init__(self, what: str, *, why: str = "", out: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.out = out

    def __str__(self) -> str:
        parts = [self.what]
        if self.why:
            parts.append(f"why: {self.why}")
        if self.out:
            parts.append(f"what to do: {self.out}")
        return "\n".join(parts)


class UsageError(AlpesError):
    code = "usage"
    exit_code = 2


class ComposeError(UsageError):
    code = "compose"


class StackDownError(AlpesError):
    code = "stack-down"
    exit_code = 3


class UnhealthyError(StackDownError):
    code = "unhealthy"


class MachineError(AlpesError):
    code = "machine"
    exit_code = 4


class ForeignError(MachineError):
    code = "foreign"


class InterruptedRun(AlpesError):
    code = "interrupted"
    exit_code = 130
