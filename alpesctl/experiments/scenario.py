"""Reads a scenario's TOML file into `model.Scenario`, strictly, and applies what flags override.

Raises UsageError that names the file, the key, what is wrong and what to do. Cheap to import.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from alpesctl.errors import UsageError
from alpesctl.experiments.model import (
    REJECTED,
    AccessLog,
    Expect,
    Load,
    Readback,
    Scenario,
    Shape,
    Thresholds,
    VersionProbe,
)
from alpesctl.experiments.overrides import Overrides, apply
from alpesctl.experiments.scenario_faults import read_faults
from alpesctl.experiments.scenario_loads import read_loads
from alpesctl.experiments.strict import Table

__all__ = ["Overrides", "Scenario", "load_scenario", "parse_scenario"]


def load_scenario(path: Path, overrides: Overrides | None = None) -> Scenario:
    """The scenario of a file, with the flags' values in place of the file's."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} can't be read", why=str(error), out="alpesctl scenario list shows what there is"
        ) from error
    return parse_scenario(text, str(path), overrides, path.parent)


def parse_scenario(text: str, source: str, overrides: Overrides | None = None, folder: Path = Path()) -> Scenario:
    """As `load_scenario`, from the file's text; `source` is how errors call it, `folder` where the files lie that
    it includes."""
    top = _with_included(_toml(text, source), source, folder)
    loads = read_loads(top)
    readback = _readback(top.need("readback"), loads)
    scenario = Scenario(
        name=_name(top),
        title=top.text("title", ""),
        loads=loads,
        readback=readback,
        shape=_shape(top.table("shape")),
        faults=read_faults(top, max(load.duration for load in loads)),
        thresholds=_thresholds(top.table("thresholds")),
        expect=_expect(top.table("expect")),
        versions=_versions(top.table("versions")),
        source=source,
    )
    top.close()
    return apply(scenario, overrides or Overrides())


def _toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source} is not TOML", why=str(error), out="mend that line") from error


def _with_included(raw: dict[str, Any], source: str, folder: Path) -> Table:
    """The file's tables, and of the files that it includes those which it does not have itself."""
    whole, sources = dict(raw), {}
    for name in Table(raw, source).texts("include"):
        path = folder / name
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{source}: include names {name}", why=str(error), out="mend its path") from error
        for key, value in _toml(text, str(path)).items():
            if key not in whole:
                whole[key], sources[key] = value, str(path)
    top = Table(whole, source, sources=sources)
    top.texts("include")
    return top


def _name(top: Table) -> str:
    name = top.text("name")
    if not all(char.isalnum() or char in "-_" for char in name):
        top.fail("name", f'is "{name}"', "it names a folder", "use letters, digits, - and _")
    return name


def _readback(table: Table, loads: tuple[Load, ...]) -> Readback:
    log = table.table("access_log")
    access_log = None
    if log is not None:
        access_log = AccessLog(
            service=log.text("service"),
            key=log.text("key", "key"),
            status=log.text("status", "status"),
            upstreams=log.text("upstreams", "upstreams"),
        )
        log.close()
    readback = Readback(
        database=table.text("database"),
        topic=table.text("topic"),
        subscription=table.text("subscription"),
        rows=table.text("rows"),
        tally=table.text("tally"),
        counters=table.text("counters"),
        rejected=table.text("rejected", ""),
        deliveries=table.text("deliveries", ""),
        pending=table.text_map("pending"),
        id_field=table.text("id_field"),
        id_property=table.text("id_property", ""),
        access_log=access_log,
        settle_timeout=table.number("settle_timeout", 120.0, above=True, high=3_600.0),
    )
    table.close()
    for name, sql in (("rows", readback.rows), ("rejected", readback.rejected)):
        if sql and "%(ids)s" not in sql:
            table.fail(name, "does not use %(ids)s", "it is asked for the run's ids", "add WHERE id = ANY(%(ids)s)")
    if any(load.counted_as == REJECTED for load in loads) and not readback.rejected:
        table.fail("rejected", "is missing", "a load is counted as rejected", "add the SQL that finds those")
    if all(load.kind != "http" for load in loads):
        return replace(readback, access_log=None)  # nothing of it stands there
    if access_log is None:
        table.fail("access_log", "is missing", "over HTTP it is the third source", "name its service")
    return readback


def _shape(table: Table | None) -> Shape:
    if table is None:
        return Shape()
    shape = Shape(table.count_map("partitions", 1_000), table.count_map("replicas", 1_000), table.texts("held"))
    table.close()
    for service in shape.held:
        if service not in shape.replicas:
            why = "it is unknown how many replicas to start after the load"
            table.fail("held", f"names {service}", why, f"add {service} = 1 to shape.replicas")
    return shape


def _thresholds(table: Table | None) -> Thresholds:
    if table is None:
        return Thresholds()
    thresholds = Thresholds(
        lost=table.integer("lost", 0),
        duplicated=table.integer("duplicated", 0),
        accepted_percent=table.number("accepted_percent", high=100.0),
        latency_p50=table.number("latency_p50", above=True),
        latency_p99=table.number("latency_p99", above=True),
        latency_max=table.number("latency_max", above=True),
        answer_p99=table.number("answer_p99", above=True),
        counted_per_minute=table.number("counted_per_minute", above=True),
        drained_per_second=table.number("drained_per_second", above=True),
        worker_share_percent=table.number("worker_share_percent", above=True, high=100.0),
        recovered_within=table.number("recovered_within", above=True, high=3_600.0),
        recovered_latency=table.number("recovered_latency", 1.0, above=True, high=3_600.0),
    )
    table.close()
    return thresholds


def _expect(table: Table | None) -> Expect:
    if table is None:
        return Expect()
    expect = Expect(redelivered=table.integer("redelivered", 0), retried=table.integer("retried", 0))
    table.close()
    return expect


def _versions(table: Table | None) -> dict[str, VersionProbe]:
    if table is None:
        return {}
    probes = {}
    for name in table.names():
        inner = table.need(name)
        probes[name] = VersionProbe(inner.text("service"), inner.texts("command"))
        inner.close()
    return probes
