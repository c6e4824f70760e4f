"""`alpesctl status`: every replica with its state, health, address, CPU and memory; the backlog."""

from __future__ import annotations

import typer

from alpesctl.commands.options import Json, Services
from alpesctl.context import context_of
from alpesctl.result import Result, Table, plain
from alpesctl.runtimes.base import Replica


def status(ctx: typer.Context, services: Services = None, json: Json = False) -> Result:
    """Show what runs, how healthy it is, and what waits in the topics."""
    from alpesctl.diagnosis.machine import full
    from alpesctl.errors import AlpesError
    from alpesctl.reconcile.plan import plan_up, require_service
    from alpesctl.statistics import Waiting, waiting

    project = context_of(ctx).project
    for name in services or ():
        require_service(project.spec, name)
    observed = project.observe(with_usage=True)
    replicas = [replica for replica in observed.replicas if not services or replica.service in services]
    notes: list[str] = []
    topics: list[Waiting] = []
    try:
        topics = waiting(project) if replicas else []
    except AlpesError as error:
        notes.append(f"topics are unknown: {error.what}")
    rows = [
        [
            r.name,
            _state(r),
            str(r.health) if str(r.health) != "none" else "",
            ", ".join(f"{e}" for _, e in r.endpoints),
            f"{r.cpu_percent:.0f} %" if r.cpu_percent is not None else "",
            f"{r.memory_bytes / 1e6:.0f} MB" if r.memory_bytes is not None else "",
        ]
        for r in replicas
    ]
    pending = plan_up(project.desired(), observed) if replicas else None
    operations = pending.operations if pending else ()
    notes += [f"disk {found.what}; {found.out}" for found in (full(project.runtime.rooms()) if replicas else ())]
    if operations:
        notes.append(f"plan: {len(operations)} change{'s' if len(operations) > 1 else ''}, see alpesctl plan")
    tables = [Table("Replicas", ["name", "state", "health", "address", "CPU", "memory"], rows, "nothing is up")]
    if topics:
        tables.append(
            Table(
                "Topics",
                ["topic", "partitions", "subscription", "kind", "backlog", "consumers"],
                [[str(cell) for cell in plain(row).values()] for row in topics],
            )
        )
    data = {
        "project": project.spec.project,
        "runtime": project.runtime.name,
        "replicas": [_document(r) for r in replicas],
        "topics": [plain(row) for row in topics],
        "orphans": list(pending.orphans) if pending else [],
        "operations": [str(operation) for operation in operations],
    }
    return Result("status", data, tables=tables, notes=[*notes, *(pending.notes if pending else ())])


def _state(replica: Replica) -> str:
    if replica.exit_code is not None:
        return f"{replica.state} ({replica.exit_code})"
    again = replica.restarts
    return f"{replica.state}, {again} restart{'s' if again > 1 else ''}" if again else str(replica.state)


def _document(replica: Replica) -> dict[str, object]:
    document = plain(replica)
    document["endpoints"] = {str(port): str(endpoint) for port, endpoint in replica.endpoints}
    document["started_at"] = replica.started_at.isoformat() if replica.started_at else None
    return {"name": replica.name, **document}
