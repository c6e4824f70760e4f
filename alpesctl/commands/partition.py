"""`alpesctl partition show|set`: how many partitions a topic has, and who consumes each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alpesctl.commands.options import DryRun, Json, Topics, assignments
from alpesctl.context import Context, context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result, Table
from alpesctl.stack.model import Topic

if TYPE_CHECKING:
    from alpesctl.project import Project
    from alpesctl.pulsar_admin import PulsarAdmin
    from alpesctl.reconcile.plan import Plan

_KEYS = "keys move to other partitions as a topic grows: order within a key holds only from then on"


def show(ctx: typer.Context, topics: Topics = None, json: Json = False) -> Result:
    """Show each topic's partitions, and of every subscription its consumers on each and its backlog."""
    context = context_of(ctx)
    pulsar = context.project.spec.pulsar
    names = [declared(context, name) for name in topics or []] or (pulsar.topics if pulsar else ())
    from alpesctl.pulsar_admin import of_each

    admin, wished = context.project.admin(), context.project.wishes.load().partitions
    found = of_each(lambda topic: _document(admin, topic, max(topic.partitions, wished.get(topic.name, 0))), names)
    return Result("partition show", {"topics": found}, tables=[_table(found)])


def _document(admin: PulsarAdmin, topic: Topic, wanted: int) -> dict[str, Any]:
    present = admin.partitions(topic.name)
    document: dict[str, Any] = {
        "topic": topic.name,
        "partitions": present,
        "declared": topic.partitions,
        "wanted": wanted,
        "subscriptions": [],
    }
    if present is None:
        return document
    for own in admin.stats_of(topic.name, present).subscriptions.values():
        consumers = {full.rpartition("/")[2]: list(names) for full, names in sorted(own.consumers.items(), key=_order)}
        document["subscriptions"].append(
            {"name": own.name, "kind": own.kind, "backlog": own.backlog, "consumers": consumers}
        )
    return document


def _order(item: tuple[str, tuple[str, ...]]) -> tuple[str, int]:
    name, _, number = item[0].rpartition("-partition-")
    return name, int(number) if name else 0


def _table(found: list[dict[str, Any]]) -> Table:
    rows = []
    for topic in found:
        there = "no such topic" if topic["partitions"] is None else str(topic["partitions"] or "not partitioned")
        head = [topic["topic"], there, str(topic["wanted"])]
        for own in topic["subscriptions"]:
            each = [len(names) for names in own["consumers"].values()]
            alike = f"{each[0]} on each" if each and len(set(each)) == 1 and len(each) > 1 else " ".join(map(str, each))
            rows.append([*head, own["name"], own["kind"], alike, f"{own['backlog']:,}"])
            head = ["", "", ""]
        if not topic["subscriptions"]:
            rows.append([*head, "none", "", "", ""])
    columns = ["topic", "partitions", "wanted at least", "subscription", "kind", "consumers a partition", "backlog"]
    return Table("Partitions", columns, rows)


def set_(
    ctx: typer.Context,
    counts: Annotated[list[str], typer.Argument(metavar="TOPIC=N…", help="e.g. commands.tracking=6; only ever more")],
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Grow topics; ends when each subscription has all its consumers on every partition. Moves keys."""
    if len(counts) == 2 and "=" not in "".join(counts):  # TOPIC N, as in pulsar-admin
        counts = ["=".join(counts)]
    context = context_of(ctx)
    wanted = assignments(counts, "TOPIC=N", "alpesctl partition set commands.tracking=6")
    for name, count in wanted.items():
        _check(context, name, count)
    return grow(context, wanted, dry_run=dry_run)


def _check(context: Context, name: str, count: int) -> None:
    from alpesctl.reconcile.plan import require_partitions

    declared(context, name)
    require_partitions(name, count)


def grow(context: Context, wanted: dict[str, int], *, dry_run: bool = False) -> Result:
    """Plan and apply the growth. Raises UsageError for what Pulsar can't do, before anything changes."""
    from alpesctl.locks import BESIDE

    project = context.project
    if dry_run:
        plan = _plan(project, wanted)
        return _result(wanted, plan, str(plan).splitlines() or ["nothing to do"], [_KEYS] if plan.changes else [])
    with project.locks.change() as beside, context.progress("partition set") as progress:
        plan = _plan(project, wanted)
        if plan.changes:
            progress.note(_KEYS)
        project.applier(progress.operation).apply(plan)
        project.wishes.wish(partitions=wanted)
    lines = [f"{name}: {count} partitions" for name, count in wanted.items()]
    return _result(wanted, plan, lines, [BESIDE] if beside else [])


def _plan(project: Project, wanted: dict[str, int]) -> Plan:
    from alpesctl.reconcile.plan import Plan, plan_partitions

    observed = project.observe()
    pulsar = project.spec.pulsar
    topics = [topic for name in wanted if pulsar and (topic := pulsar.topic(name))]
    plans = [plan_partitions(project.spec, observed, topic, wanted[topic.name]) for topic in topics]
    return Plan(tuple(operation for plan in plans for operation in plan.operations))


def _result(wanted: dict[str, int], plan: Plan, lines: list[str], notes: list[str]) -> Result:
    data = {"partitions": wanted, "operations": [str(operation) for operation in plan.operations]}
    return Result("partition set", data, lines=lines, notes=notes)


def declared(context: Context, name: str) -> Topic:
    """The declared topic of that name; raises UsageError that names those there are."""
    pulsar = context.project.spec.pulsar
    found = pulsar.topic(name) if pulsar else None
    if found is None:
        names = ", ".join(topic.name for topic in pulsar.topics) if pulsar else "none"
        raise UsageError(
            f"there is no topic {name!r}",
            why=f"declared are: {names}",
            out="correct the name, or declare it under x-alpes.pulsar.topics",
        )
    return found
