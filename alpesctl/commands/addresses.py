"""`alpesctl addresses`: where the running stack answers on this machine."""

from __future__ import annotations

import typer

from alpesctl.commands.options import Json
from alpesctl.context import Context, context_of
from alpesctl.errors import StackDownError
from alpesctl.result import Result, Table


def addresses(ctx: typer.Context, json: Json = False) -> Result:
    """Show where the stack answers, and how to stop it."""
    context = context_of(ctx)
    found = reachable(context)
    if not found:
        raise StackDownError("nothing of the stack is up", out="alpesctl up")
    return Result(
        "addresses",
        {"addresses": found},
        tables=[Table("Addresses", ["what", "where"], [[a["title"], a["url"]] for a in found])],
        notes=["alpesctl down stops the stack and keeps its data"],
    )


def reachable(context: Context) -> list[dict[str, str]]:
    """The compose file's addresses of what is up, as they are on this machine."""
    from urllib.parse import urlsplit

    from alpesctl.errors import AlpesError
    from alpesctl.runtimes.addresses import resolve
    from alpesctl.runtimes.base import State

    project = context.project
    up = {r.service for r in project.runtime.replicas(with_health=False) if r.state is State.RUNNING}
    found = []
    for address in project.spec.addresses:
        if urlsplit(address.url).hostname not in up:
            continue
        try:
            found.append({"title": address.title, "url": resolve(project.runtime, project.spec, address.url)})
        except AlpesError:
            continue
    return found
