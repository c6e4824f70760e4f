"""`alpesctl status`: every replica with its state, health, address, CPU and memory; the backlog."""

from __future__ import annotations

import typer

from alpesctl.commands.options import Json
from alpesctl.context import context_of
from alpesctl.result import Result, Table, plain
from alpesctl.runtimes.base import Replica


def status(ctx: typer.Context, json: Json = False) -> Result:
    """Show what runs, how healthy it is, and what waits in the topics."""
    from alpesctl.reconcile.plan import plan_up

    project = context_of(ctx).project
    observed = project.observe(with_usage=True)
    replicas = observed.replicas
    topics = waiting(ctx)
    rows = [
        [
            r.name,
            str(r.state) if r.exit_code is None else f"{r.state} ({r.exit_code})",
            str(r.health) if str(r.health) != "none" else "",
            ", ".join(f"{e}" for _, e in r.endpoints),
            f"{r.cpu_percent:.0f} %" if r.cpu_percent is not None else "",
            f"{r.memory_bytes / 1e6:.0f} MB" if r.memory_bytes is not None else "",
        ]
        for r in replicas
    ]
    pending = plan_up(project.desired(), observed) if replicas else None
    notes = [f"up would: {operation}" for operation in pending.operations] if pending else []
    tables = [Table("Replicas", ["name", "state", "health", "address", "CPU", "memory"], rows, "nothing is up")]
    if topics:
        tables.append(
            Table(
                "Topics",
                ["topic", "partitions", "subscription", "kind", "backlog", "consumers"],
                [[str(cell) for cell in row.values()] for row in topics],
            )
        )
    data = {
        "project": project.spec.project,
        "runtime": project.runtime.name,
        "replicas": [_document(r) for r in replicas],
        "topics": topics,
    }
    return Result("status", data, tables=tables, notes=[*notes, *(pending.notes if pending else ())])


def _document(replica: Replica) -> dict[str, object]:
    document = plain(replica)
    document["endpoints"] = {str(port): str(endpoint) for port, endpoint in replica.endpoints}
    document["started_at"] = replica.started_at.isoformat() if replica.started_at else None
    return {"name": replica.name, **document}


def waiting(ctx: typer.Context) -> list[dict[str, object]]:
    """Every subscription of the declared topics with its backlog; a run's own hold counts for nobody."""
    from alpesctl.errors import AlpesError
    from alpesctl.experiments.topic import HOLD_PREFIX

    project = context_of(ctx).project
    found: list[dict[str, object]] = []
    for topic in project.spec.pulsar.topics if project.spec.pulsar else ():
        try:
            stats = project.admin().stats(topic.name)
        except AlpesError:
            continue
        for subscription in stats.subscriptions.values():
            if subscription.name.startswith(HOLD_PREFIX):
                continue
            found.append(
                {
                    "topic": topic.name,
                    "partitions": stats.partitions,
                    "subscription": subscription.name,
                    "kind": subscription.kind,
                    "backlog": subscription.backlog,
                    "consumers": len({name for names in subscription.consumers.values() for name in names}),
                }
            )
    return found
