"""Reads a scenario's TOML file into `model.Scenario`, strictly, and applies what flags override.

Raises UsageError that names the file, the key, what is wrong and what to do. Cheap to import.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

from alpesctl.errors import UsageError
from alpesctl.experiments.model import (
    ID_TOKEN,
    MAX_COUNT,
    MAX_RATE,
    MAX_SECONDS,
    AccessLog,
    Event,
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
from alpesctl.experiments.strict import Table

__all__ = ["Overrides", "Scenario", "load_scenario", "parse_scenario"]


def load_scenario(path: Path, overrides: Overrides | None = None) -> Scenario:
    """The scenario of a file, with the flags' values in place of the file's."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} can't be read", why=str(error), out="alpesctl scenario list shows what there is"
        ) from error
    return parse_scenario(text, str(path), overrides)


def parse_scenario(text: str, source: str, overrides: Overrides | None = None) -> Scenario:
    """As `load_scenario`, from the file's text; `source` is how errors call it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source} is not TOML", why=str(error), out="mend that line") from error
    top = Table(raw, source)
    load = _load(top.need("load"))
    scenario = Scenario(
        name=_name(top),
        title=top.text("title", ""),
        load=load,
        event=_event(top.need("event"), load),
        readback=_readback(top.need("readback")),
        shape=_shape(top.table("shape")),
        faults=read_faults(top, load),
        thresholds=_thresholds(top.table("thresholds")),
        expect=_expect(top.table("expect")),
        versions=_versions(top.table("versions")),
        source=source,
    )
    top.close()
    if scenario.load.kind == "http" and scenario.readback.access_log is None:
        top.fail("readback.access_log", "is missing", "over HTTP it is the third source", "name its service")
    return apply(scenario, overrides or Overrides())


def _name(top: Table) -> str:
    name = top.text("name")
    if not all(char.isalnum() or char in "-_" for char in name):
        top.fail("name", f'is "{name}"', "it names a folder", "use letters, digits, - and _")
    return name


def _load(table: Table) -> Load:
    kind = table.text("kind", choices=("pulsar", "http"))
    model = table.text("model", "open", choices=("open", "burst"))
    target = table.text("topic" if kind == "pulsar" else "url")
    rate, count, sized_by = _size(table, model)
    load = Load(
        kind=kind,
        model=model,
        target=target,
        rate=rate,
        count=count,
        sized_by=sized_by,
        timeout=table.number("timeout", 10.0, above=True, high=600.0),
        pending=table.integer("pending", 10_000, low=1, high=1_000_000),
        warmup_rate=table.number("warmup_rate", 0.0, high=MAX_RATE),
        warmup_duration=table.number("warmup_duration", 0.0, high=3_600.0),
    )
    if kind == "http":
        load = _http(table, load)
    else:
        batch_delay = table.number("batch_delay", 0.005, above=True, high=10.0)
        load = replace(load, batch_delay=batch_delay)
    table.close()
    return load


def _size(table: Table, model: str) -> tuple[float, int, str]:
    if model == "burst":
        return 0.0, int(table.integer("count", ..., low=1, high=MAX_COUNT)), "count"
    rate = float(table.number("rate", ..., above=True, high=MAX_RATE))
    if table.has("count") == table.has("duration"):
        table.fail("count", "and duration: give one", "the other follows from the rate", "keep one of them")
    if table.has("count"):
        return rate, int(table.integer("count", ..., low=1, high=MAX_COUNT)), "count"
    duration = float(table.number("duration", ..., above=True, high=MAX_SECONDS))
    return rate, max(1, round(rate * duration)), "duration"


def _http(table: Table, load: Load) -> Load:
    accepted = table.integer("accepted", 201, low=200, high=299)
    return replace(
        load,
        connections=table.integer("connections", 1_000, low=1, high=10_000),
        method=table.text("method", "POST", choices=("POST", "PUT")),
        accepted=(accepted,),
        refused_problem=table.text("refused_problem", ""),
    )


def _event(table: Table, load: Load) -> Event:
    event = Event(
        body=table.any_map("body"),
        properties=table.text_map("properties") if load.kind == "pulsar" else {},
        headers=table.text_map("headers") if load.kind == "http" else {},
        buckets=table.integer("buckets", 0, high=65_536) if load.kind == "pulsar" else 0,
    )
    table.close()
    try:
        text = json.dumps([event.body, event.headers])
    except TypeError as error:
        table.fail("body", "can't be JSON", str(error), "use texts, numbers, booleans, lists and tables")
    if ID_TOKEN not in text:
        why = "without its id, an event can't be looked up afterwards"
        table.fail("", "carries no id", why, f'put "{ID_TOKEN}" into the body or a header')
    return event


def _readback(table: Table) -> Readback:
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
        deliveries=table.text("deliveries", ""),
        pending=table.text_map("pending"),
        id_field=table.text("id_field"),
        access_log=access_log,
        settle_timeout=table.number("settle_timeout", 120.0, above=True, high=3_600.0),
    )
    table.close()
    if "%(ids)s" not in readback.rows:
        table.fail("rows", "does not use %(ids)s", "it is asked for the run's ids", "add WHERE id = ANY(%(ids)s)")
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
