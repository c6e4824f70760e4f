"""The options that every command takes, declared once. Holds no logic."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One versioned JSON document on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Services = Annotated[list[str] | None, typer.Argument(help="Services; all where none is named.")]
