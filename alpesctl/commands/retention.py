"""`alpesctl retention show|set`: how much a topic keeps of what was acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alpesctl.commands.options import DryRun, Json, Topics
from alpesctl.commands.partition import declared
from alpesctl.context import Context, context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result, Table, plain
from alpesctl.stack import retention as units
from alpesctl.stack.model import NAMESPACE
from alpesctl.stack.retention import BacklogQuota, Retention

if TYPE_CHECKING:
    from alpesctl.pulsar_admin import PulsarAdmin


def show(ctx: typer.Context, topics: Topics = None, json: Json = False) -> Result:
    """Show what is kept, where that comes from, and the backlog quota beside it."""
    from alpesctl.pulsar_admin import PulsarRefused, of_each

    context = context_of(ctx)
    project = context.project
    named = [declared(context, name).name for name in topics or []]
    admin = project.admin()
    pulsar = project.spec.pulsar
    names = [NAMESPACE, *(named or [topic.name for topic in (pulsar.topics if pulsar else ())])]
    wished, asked = project.wishes.load().retention, pulsar.retentions if pulsar else {}

    def own_of(name: str) -> tuple[Retention | None, BacklogQuota | None] | None:
        try:
            return admin.retention(name), admin.backlog_quota(name)
        except PulsarRefused as error:
            if error.status != 404 or name in named:
                raise
            return None  # declared, and not there: its part of the stack isn't up

    found = dict(zip(names, of_each(own_of, names), strict=True))
    default, default_quota = admin.defaults()
    whole, _ = found[NAMESPACE] or (None, None)
    rows = []
    for name, both in found.items():
        if both is None:
            continue
        own, quota = both
        origin = "its own" if own else "the namespace" if name and whole else "the broker's default"
        kept = own or whole or default
        rows.append((name or admin.namespace, kept, origin, quota or default_quota, wished.get(name), asked.get(name)))
    table = Table(
        "Retention of what is acknowledged",
        ["of", "size", "time", "from", "wished for", "declared", "backlog quota"],
        [
            [name, kept.size, kept.time, origin, _text(wish), _text(want), str(quota)]
            for name, kept, origin, quota, wish, want in rows
        ],
    )
    documents = [
        {"name": name, **_document(kept), "from": origin, "wished": plain(wish), "declared": plain(want)}
        | {"backlog_quota": plain(quota)}
        for name, kept, origin, quota, wish, want in rows
    ]
    return Result("retention show", {"namespace": documents[0], "topics": documents[1:]}, tables=[table])


def set_(
    ctx: typer.Context,
    size: Annotated[str | None, typer.Option(help="K, M, G or T, as in 20G; -1: no limit; 0: nothing.")] = None,
    time: Annotated[str | None, typer.Option(help="s, m, h, d or w, as in 7d; -1: no limit; 0: nothing.")] = None,
    topic: Annotated[str, typer.Option(help="This topic only; else the namespace.")] = NAMESPACE,
    inherit: Annotated[bool, typer.Option("--inherit", help="None of its own any more; forgets the wish.")] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Set what is kept; `up` holds to it from then on. It must exceed the backlog quota."""
    context = context_of(ctx)
    if inherit == (size is not None or time is not None):
        raise UsageError(
            "say either --size and --time, or --inherit", out="alpesctl retention set --size 20G --time 7d"
        )
    sizes, times = units.size(size) if size is not None else None, units.time(time) if time is not None else None
    if topic:
        declared(context, topic)
    admin = context.project.admin()
    wanted, notes = None, []
    if not inherit:
        present = admin.retention(topic) or Retention(0, 0)
        wanted = Retention(sizes[0] if sizes else present.size_mb, times[0] if times else present.time_minutes)
        units.require_sound(wanted)
        units.require_above_quota(wanted, _quota(admin, topic))
        notes = [note for _, note in (sizes or (0, ""), times or (0, "")) if note]
    return keep(context, topic, wanted, notes, dry_run=dry_run)


def keep(context: Context, topic: str, wanted: Retention | None, notes: list[str], *, dry_run: bool) -> Result:
    """Plan and apply, and keep the wish; None: none of its own, and no wish."""
    from alpesctl.locks import BESIDE
    from alpesctl.reconcile.observed import Observed
    from alpesctl.reconcile.plan import Plan, plan_retention

    project = context.project
    admin = project.admin()
    before = admin.retention(topic)
    observed = Observed((), None, {topic: before})
    plan = Plan(tuple(plan_retention(observed, topic, wanted, "it is asked for")))
    data = {
        "of": topic or admin.namespace,
        "before": _own(before),
        "after": _own(wanted),
        "operations": [str(operation) for operation in plan.operations],
    }
    if dry_run:
        return Result("retention set", data, lines=str(plan).splitlines() or ["nothing to do"], notes=notes)
    with project.locks.change() as beside:
        project.applier().apply(plan)
        project.wishes.wish_retention(topic, wanted)
    line = f"{topic or admin.namespace}: {before or 'none of its own'} → {wanted or 'none of its own'}"
    return Result("retention set", data, lines=[line], notes=[*notes, *([BESIDE] if beside else [])])


def _quota(admin: PulsarAdmin, topic: str) -> BacklogQuota:
    return admin.backlog_quota(topic) or admin.defaults()[1]


def _document(kept: Retention) -> dict[str, object]:
    return {**plain(kept), "size": kept.size, "time": kept.time}


def _own(retention: Retention | None) -> dict[str, object] | None:
    return _document(retention) if retention else None


def _text(retention: Retention | None) -> str:
    return f"{retention.size}, {retention.time}" if retention else ""
