"""`alpesctl partition show|set`: how many partitions a topic has."""

from __future__ import annotations

from typing import Annotated

import typer

from alpesctl.commands.options import DryRun, Json
from alpesctl.context import Context, context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result, Table
from alpesctl.stack.model import Topic


def show(ctx: typer.Context, json: Json = False) -> Result:
    """Show each declared topic with its partitions."""
    project = context_of(ctx).project
    admin = project.admin()
    rows = []
    for topic in project.spec.pulsar.topics if project.spec.pulsar else ():
        present = admin.partitions(topic.name)
        rows.append({"topic": topic.name, "partitions": present, "declared": topic.partitions})
    table = Table(
        "Partitions",
        ["topic", "partitions", "declared at least"],
        [
            [
                str(r["topic"]),
                "no such topic" if r["partitions"] is None else str(r["partitions"]),
                str(r["declared"]),
            ]
            for r in rows
        ],
    )
    return Result("partition show", {"topics": rows}, tables=[table])


def set_(
    ctx: typer.Context,
    topic: Annotated[str, typer.Argument(help="The topic's name, e.g. commands.tracking")],
    partitions: Annotated[int, typer.Argument(help="How many it shall have; never fewer than it has")],
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Grow a topic; ends when its subscription has a consumer on every partition."""
    return grow(context_of(ctx), topic, partitions, dry_run=dry_run)


def grow(context: Context, topic: str, partitions: int, *, dry_run: bool = False) -> Result:
    """Plan and apply the growth. Raises UsageError for what Pulsar can't do."""
    from alpesctl.reconcile.plan import plan_partitions

    project = context.project
    plan = plan_partitions(project.spec, project.observe(), declared(context, topic), partitions)
    data = {"topic": topic, "partitions": partitions, "operations": [str(o) for o in plan.operations]}
    if dry_run:
        return Result("partition set", data, lines=str(plan).splitlines() or ["nothing to do"])
    with project.lock(), context.progress("partition set") as progress:
        project.applier(progress.operation).apply(plan)
    return Result(
        "partition set",
        data,
        lines=[f"{topic}: {partitions} partitions"],
        notes=["a key may now live on another partition: order within a key holds only from here on"]
        if len(plan.operations) > 1
        else [],
    )


def declared(context: Context, name: str) -> Topic:
    """The declared topic of that name; raises UsageError that names those there are."""
    pulsar = context.project.spec.pulsar
    topics = {topic.name: topic for topic in pulsar.topics} if pulsar else {}
    if name not in topics:
        raise UsageError(f"there is no topic {name!r}", why=f"declared are: {', '.join(topics)}")
    return topics[name]
