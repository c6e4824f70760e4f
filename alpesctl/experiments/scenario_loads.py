"""Reads a scenario's [load] and [event] tables. Must not send anything."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from alpesctl.experiments.model import ID_TOKEN, MAX_COUNT, MAX_RATE, MAX_SECONDS, OK, REJECTED, Event, Load
from alpesctl.experiments.strict import Table


def read_loads(top: Table) -> tuple[Load, ...]:
    """The loads: one [load], or several [[load]], which begin together. Each has events of its own, or the
    file's."""
    tables = top.tables("load") if top.is_list("load") else [top.need("load")]
    if not tables:
        top.fail("load", "is empty", "there is nothing to send", "write a [load] table")
    loads = tuple(_load(table, top) for table in tables)
    top.has("event")
    if len(loads) > 1 and any(load.model == "burst" for load in loads):
        why = "a burst has no schedule that another could keep beside it"
        top.fail("load", "has a burst among several", why, "make all of them open, or have only one")
    return loads


def _load(table: Table, top: Table) -> Load:
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
    load = replace(load, counted_as=table.text("counted_as", OK, choices=(OK, REJECTED)))
    holder = table if table.has("event") else top
    events = holder.tables("event") if holder.is_list("event") else [holder.need("event")]
    load = replace(load, events=tuple(_event(event, load) for event in events))
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
    """A shared event has what each kind of load needs; a load takes its own kind's."""
    headers, properties = table.text_map("headers"), table.text_map("properties")
    buckets = table.integer("buckets", 0, high=65_536)
    over_pulsar = load.kind == "pulsar"
    event = Event(
        body={} if table.has("raw") or table.has("raw_base64") else table.any_map("body"),
        properties=properties if over_pulsar else {},
        headers={} if over_pulsar else headers,
        buckets=buckets if over_pulsar else 0,
        raw=_raw(table),
    )
    table.close()
    try:
        text = json.dumps([event.body, event.headers, event.properties])
    except TypeError as error:
        table.fail("body", "can't be JSON", str(error), "use texts, numbers, booleans, lists and tables")
    if ID_TOKEN not in text and ID_TOKEN.encode() not in event.raw:
        why = "without its id, an event can't be looked up afterwards"
        table.fail("", "carries no id", why, f'put "{ID_TOKEN}" into the body, a header or a property')
    return event


def _raw(table: Table) -> bytes:
    if table.has("raw"):
        return table.text("raw").encode()
    if not table.has("raw_base64"):
        return b""
    try:
        return base64.b64decode(table.text("raw_base64"), validate=True)
    except ValueError as error:
        table.fail("raw_base64", "is not base64", str(error), "encode the body's bytes")
