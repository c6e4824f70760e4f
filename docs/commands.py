"""Writes the command reference from the command line itself: `make reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from alpesctl.cli import application

CONTEXT = typer.main.get_command(application(["runs"])).context_class
PAGE = Path(__file__).with_name("commands.md")
HEAD = """# Commands

Written by `make reference` from the command line itself; change it there. Exit codes: 0 done; 1 a scenario missed its
thresholds, or `plan --check` would change something; 2 wrong usage; 3 the stack is not up or not healthy; 4 the machine
lacks something; 5 a run is void; 130 interrupted.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    root: Any = typer.main.get_command(application())
    parts = [HEAD, "## Options of all commands\n", *_table(root)]
    for words, command in _commands(root, ()):
        usage = " ".join(["alpesctl", *words, *command.collect_usage_pieces(CONTEXT(command))])
        parts += [f"\n## `{usage}`\n", f"{' '.join((command.help or '').split())}\n", *_table(command)]
    return "\n".join(parts).rstrip() + "\n"


def _commands(group: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield (*words, name), command


def _table(command: Any) -> list[str]:
    rows = [_row(each) for each in command.params if not getattr(each, "hidden", False) and each.name != "help"]
    return ["| | |", "|---|---|", *rows] if rows else []


def _row(each: Any) -> str:
    argument = each.param_type_name == "argument"
    name = (each.metavar or each.name.upper()) if argument else ", ".join((*each.opts, *each.secondary_opts))
    text = " ".join((getattr(each, "help", None) or "").split()).replace("|", "\\|")
    default = each.default
    known = "" if default in (None, False, (), []) or callable(default) else f" Default: {default}."
    return f"| `{name}` | {text}{known} |"


if __name__ == "__main__":
    PAGE.write_text(reference())
