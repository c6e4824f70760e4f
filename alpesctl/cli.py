"""Registers the commands, renders their results, and turns errors into exit codes. Only here is printed."""

from __future__ import annotations

import functools
import importlib
import json as json_module
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from alpesctl import __version__
from alpesctl.context import Context
from alpesctl.errors import AlpesError, InterruptedRun, MachineError
from alpesctl.result import Failure, Result

app = typer.Typer(
    name="alpesctl",
    help="Brings an event-driven stack up, breaks it under load, and proves what was counted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Command → (module, function). A group's commands are named "group command".
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("up", "up"),
    "down": ("down", "down"),
    "plan": ("plan", "plan"),
    "status": ("status", "status"),
    "addresses": ("addresses", "addresses"),
    "logs": ("logs", "logs"),
    "scale": ("scale", "scale"),
    "partition show": ("partition", "show"),
    "partition set": ("partition", "set_"),
    "stats": ("stats", "stats"),
    "scenario list": ("scenario", "list_"),
    "scenario run": ("scenario", "run"),
    "scenario performance": ("scenario", "performance"),
    "scenario availability": ("scenario", "availability"),
    "runs": ("runs", "runs"),
    "report": ("report", "report"),
}
GROUPS = {
    "partition": "Show and grow the partitions of topics.",
    "scenario": "Put the stack under load while parts of it are killed, and judge the outcome.",
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"alpesctl {__version__}")
        raise typer.Exit


@app.callback()
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
    from alpesctl.terminal import ask, open_progress

    where = Where(file=file, project_name=project_name, env_file=env_file, runtime=runtime)
    ctx.obj = Context(where=where, open_progress=open_progress, ask=ask, stream=_stream)


def _stream(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, grep -q) has enough.
        sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115
        raise typer.Exit(0) from None


def _runs(name: str, function: Callable[..., Result]) -> Callable[..., None]:
    """The command with its result rendered and its errors turned into exit codes."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> None:
        as_json = bool(kwargs.get("json", False))
        try:
            result = function(*args, **kwargs)
        except AlpesError as error:
            raise typer.Exit(_fail(name, error, as_json)) from None
        except OSError as error:
            machine = MachineError(str(error), out="mend that, then try again")
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
        typer.echo(f"alpesctl: {error}", err=True)
    return error.exit_code


def _render(result: Result, as_json: bool) -> None:
    if as_json:
        typer.echo(json_module.dumps(result.document(), indent=2, default=str))
        return
    from alpesctl.terminal import render

    render(result)


def _register() -> None:
    groups: dict[str, typer.Typer] = {}
    for group, text in GROUPS.items():
        groups[group] = typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)
        app.add_typer(groups[group], name=group)
    for name, (module, function) in COMMANDS.items():
        target = getattr(importlib.import_module(f"alpesctl.commands.{module}"), function)
        group, _, short = name.rpartition(" ")
        (groups[group] if group else app).command(short)(_runs(name, target))


_register()


def main() -> None:
    """The console script."""
    app()
