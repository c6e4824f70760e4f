"""Where the broker differs from what is declared or wished for, and `up` leaves it so. Pure; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from alpesctl.reconcile.observed import Observed
from alpesctl.stack.model import NAMESPACE, Pulsar
from alpesctl.stack.retention import NOTHING, Retention


def drift(
    pulsar: Pulsar | None,
    observed: Observed,
    partitions: Mapping[str, int] | None = None,
    retention: Mapping[str, Retention] | None = None,
) -> tuple[str, ...]:
    """One note a difference. `partitions` and `retention` were wished for, by topic (NAMESPACE: the namespace)."""
    if pulsar is None:
        return ()
    return (
        *_partitions(pulsar, observed.partitions or {}, partitions or {}),
        *_retention(pulsar, observed.retention or {}, retention or {}),
    )


def _partitions(pulsar: Pulsar, present: Mapping[str, int], wished: Mapping[str, int]) -> list[str]:
    notes = []
    for topic in pulsar.topics:
        count, wanted = present.get(topic.name), max(topic.partitions, wished.get(topic.name, 0))
        if count == 0:
            notes.append(
                f"{topic.name} is not partitioned, though {wanted} are declared: Pulsar can't turn it into one"
            )
        elif count is not None and count > wanted:
            asked = "wished for" if wanted > topic.partitions else "declared"
            notes.append(f"{topic.name} has {count} partitions, {wanted} {asked}: Pulsar never removes any")
    return notes


def _retention(pulsar: Pulsar, present: Mapping[str, Retention | None], wished: Mapping[str, Retention]) -> list[str]:
    notes = []
    for name, own in present.items():
        if name in wished:
            continue  # up sets it
        where = name or f"the namespace {pulsar.namespace}"
        declared = pulsar.retentions.get(name)
        if declared is not None and (own or NOTHING) != declared:
            option = f" --topic {name}" if name else ""
            notes.append(
                f"the retention of {where} is {own or 'not set'}, declared: {declared}; "
                f"alpesctl retention set{option} --size {_word(declared.size)} --time {_word(declared.time)}"
            )
        elif declared is None and name != NAMESPACE and own is not None:
            notes.append(f"{where} has a retention of its own, {own}: the namespace's does not hold there")
    return notes


def _word(limit: str) -> str:
    return "-1" if limit == "unlimited" else limit
