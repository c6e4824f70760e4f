"""Registers the commands, renders their results, and turns errors into exit codes.

Results are printed here and in `terminal.py` only. A scenario's progress goes to stderr by `experiments/live.py`.
"""

from __future__ import annotations

import errno
import functools
import importlib
import itertools
import json as json_module
import re
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from alpesctl import __version__
from alpesctl.context import Context, context_of
from alpesctl.errors import AlpesError, InterruptedRun, MachineError
from alpesctl.result import Failure, Result

# Command → (module, function). A group's commands are named "group command".
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("up", "up"),
    "down": ("down", "down"),
    "plan": ("plan", "plan"),
    "status": ("status", "status"),
    "exec": ("exec", "exec_"),
    "doctor": ("doctor", "doctor"),
    "addresses": ("addresses", "addresses"),
    "logs": ("logs", "logs"),
    "scale": ("scale", "scale"),
    "retention show": ("retention", "show"),
    "retention set": ("retention", "set_"),
    "partition show": ("partition", "show"),
    "partition set": ("partition", "set_"),
    "images list": ("images", "list_"),
    "images pull": ("images", "pull"),
    "images build": ("images", "build"),
    "stats": ("stats", "stats"),
    "scenario list": ("scenario", "list_"),
    "scenario run": ("scenario", "run"),
    "scenario performance": ("scenario", "performance"),
    "scenario availability": ("scenario", "availability"),
    "runs": ("runs", "runs"),
    "report": ("report", "report"),
}
# They leave even what a killed run left behind as it is.
ONLY_LOOK = frozenset({"plan", "doctor"})
GROUPS = {
    "images": "The images of the stack, and stand-ins for those that can't be pulled.",
    "partition": "Show and grow the partitions of topics.",
    "retention": "Show and set how much topics keep of what was acknowledged.",
    "scenario": "Put the stack under load while parts of it are killed, and judge the outcome.",
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"alpesctl {__version__}")
        raise typer.Exit


def root(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The compose file.")] = None,
    project_name: Annotated[str | None, typer.Option("--project-name", "-p", help="The project's name.")] = None,
    env_file: Annotated[Path | None, typer.Option("--env-file", help="Instead of .env.")] = None,
    runtime: Annotated[str | None, typer.Option("--runtime", help="auto, docker or local (or ALPES_RUNTIME).")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that come before the command."""
    from alpesctl.project import Where
    from alpesctl.terminal import ask, open_live, open_progress

    where = Where(file=file, project_name=project_name, env_file=env_file, runtime=runtime)
    ctx.obj = Context(
        where=where,
        open_progress=open_progress,
        ask=ask,
        stream=_stream,
        log_line=_log_line,
        warn=_warn,
        stream_document=_stream_document,
        open_live=open_live,
    )


def _stream(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, grep -q) has enough.
        sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115
        raise typer.Exit(0) from None


def _warn(text: str) -> None:
    typer.echo(f"alpesctl: {text}", err=True)


def _stream_document(result: Result) -> None:
    _stream(json_module.dumps(result.document(), default=str))


def _log_line(replica: str, text: str, pattern: re.Pattern[str] | None) -> None:
    from alpesctl.terminal import log_line

    _stream(log_line(replica, text, pattern))


def _runs(name: str, function: Callable[..., Result]) -> Callable[..., None]:
    """The command with its result rendered and its errors turned into exit codes."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> None:
        as_json = bool(kwargs.get("json", False))
        context_of(kwargs["ctx"]).only_looks = name in ONLY_LOOK or bool(kwargs.get("dry_run"))
        try:
            result = function(*args, **kwargs)
        except AlpesError as error:
            raise typer.Exit(_fail(name, error, as_json)) from None
        except OSError as error:
            full = error.errno == errno.ENOSPC
            out = "free space there; alpesctl doctor shows the disks" if full else "mend that, then try again"
            machine = MachineError(str(error), out=out)
            raise typer.Exit(_fail(name, machine, as_json)) from None
        except KeyboardInterrupt:
            interrupted = InterruptedRun("interrupted", out="alpesctl status shows how far it came")
            raise typer.Exit(_fail(name, interrupted, as_json)) from None
        _render(result, as_json)
        raise typer.Exit(result.exit_code)

    return command


def _fail(name: str, error: AlpesError, as_json: bool) -> int:
    if as_json:
        failure = Failure(name, error.code, error.what, error.why, error.out, error.exit_code)
        typer.echo(json_module.dumps(failure.document(), indent=2, default=str))
    else:
        _warn(str(error))
    return error.exit_code


def _render(result: Result, as_json: bool) -> None:
    if as_json:
        typer.echo(json_module.dumps(result.document(), indent=2, default=str))
        return
    from alpesctl.terminal import render

    render(result)


def application(names: Collection[str] = COMMANDS) -> typer.Typer:
    """The command line with these of the COMMANDS, whose modules are imported."""
    app = typer.Typer(
        name="alpesctl",
        help="Brings an event-driven stack up, breaks it under load, and proves what was counted.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    groups: dict[str, typer.Typer] = {}
    for name, (module, function) in COMMANDS.items():
        if name not in names:
            continue
        group, _, short = name.rpartition(" ")
        if group and group not in groups:
            groups[group] = typer.Typer(help=GROUPS[group], no_args_is_help=True, rich_markup_mode=None)
            app.add_typer(groups[group], name=group)
        target = getattr(importlib.import_module(f"alpesctl.commands.{module}"), function)
        (groups[group] if group else app).command(short)(_runs(name, target))
    return app


_ROOT_OPTIONS = ("--file", "--project-name", "--env-file", "--runtime")


def arranged(words: Sequence[str]) -> list[str]:
    """The words of a call with options that belong before the command put there, and --json put behind it."""
    end = words.index("--") if "--" in words else len(words)
    before, middle, behind = [], [], []
    rest = iter(words[:end])
    for word in rest:
        if word in _ROOT_OPTIONS:
            before += [word, *itertools.islice(rest, 1)]
        elif word.startswith(tuple(f"{option}=" for option in _ROOT_OPTIONS)):
            before.append(word)
        elif word == "--json":
            behind = [word]
        else:
            middle.append(word)
    return [*before, *middle, *behind, *words[end:]]


def main() -> None:
    """The console script. Only commands that the call names are imported: to take all apart costs 100 ms."""
    words = arranged(sys.argv[1:])
    named = [name for name in COMMANDS if name.partition(" ")[0] in words]
    application(named or COMMANDS)(words)
