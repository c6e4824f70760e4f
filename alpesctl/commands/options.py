"""The options that every command takes, declared once, and how NAME=N is read. Knows no command."""

from __future__ import annotations

from typing import Annotated

import typer

from alpesctl.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="One versioned JSON document on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Topics = Annotated[
    list[str] | None, typer.Argument(metavar="[TOPIC]…", help="All that are declared where none is named.")
]
Services = Annotated[list[str] | None, typer.Argument(help="Services; all where none is named.")]


def assignments(words: list[str], form: str, example: str) -> dict[str, int]:
    """NAME=N… as a mapping; raises UsageError for anything else, and for a name that stands twice."""
    found: dict[str, int] = {}
    for word in words:
        name, _, number = word.rpartition("=")
        try:
            count = int(number)
        except ValueError:
            name = ""
        if not name:
            raise UsageError(f"{word!r} is not {form}", out=f"write it as in {example}")
        if name in found:
            raise UsageError(f"{name} stands twice", out="say once how many it shall have")
        found[name] = count
    return found
