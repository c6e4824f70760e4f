"""Scenario files are read strictly, and an error says where, why and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from alpesctl.errors import UsageError
from alpesctl.experiments.model import EVERY
from alpesctl.experiments.scenario import Overrides, load_scenario, parse_scenario

SHIPPED = sorted((Path(__file__).parents[3] / "scenarios").glob("*.toml"))

GOOD = """
name = "x"
[shape]
replicas = { worker = 2 }
[load]
kind = "pulsar"
topic = "t"
rate = 100.0
duration = 10.0
[event]
body = { id = "{id}" }
[[fault]]
at = 5.0
action = "kill"
service = "worker"
restart_after = 1.0
[readback]
database = "postgresql://a:b@db:5432/a"
topic = "t"
subscription = "s"
id_field = "id"
rows = "SELECT 1 WHERE id = ANY(%(ids)s)"
tally = "SELECT 1"
counters = "SELECT 1"
[thresholds]
counted_per_minute = 5900
"""


def test_a_good_one_is_read() -> None:
    scenario = parse_scenario(GOOD, "x.toml")
    assert (scenario.count, scenario.duration, scenario.loads[0].model) == (1_000, 10.0, "open")
    assert scenario.faults[0].steps[0].restart_after == 1.0


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_ones_are_good(path: Path) -> None:
    assert load_scenario(path).name == path.stem


@pytest.mark.parametrize(
    ("old", "new", "where", "why"),
    [
        ('name = "x"', 'name = "x"\ncolour = 1', "colour is not known", "known here: "),
        ('name = "x"', 'name = "a/b"', 'name is "a/b"', "it names a folder"),
        ('name = "x"', "", "name is missing", "no default"),
        ('kind = "pulsar"', 'kind = "kafka"', 'load.kind is "kafka"', "no such choice"),
        ('kind = "pulsar"', 'kind = "pulsar"\nratee = 1', "load.ratee is not known", "known here: "),
        ("rate = 100.0", "rate = 0", "load.rate is 0", "above 0"),
        ("rate = 100.0", "rate = -5", "load.rate is -5", "above 0"),
        ("rate = 100.0", "rate = 100001", "load.rate is 100001", "at most 100,000"),
        ("rate = 100.0", "rate = nan", "load.rate is nan", "must be a number"),
        ("rate = 100.0", "rate = inf", "load.rate is inf", "must be a number"),
        ("rate = 100.0", "rate = true", "load.rate is True", "must be a number"),
        ("rate = 100.0", 'rate = "fast"', "load.rate is 'fast'", "must be a number"),
        ("rate = 100.0", "", "load.rate is missing", "no default"),
        ("duration = 10.0", "duration = 0", "load.duration is 0", "above 0"),
        ("duration = 10.0", "duration = 1e6", "load.duration is 1e+06", "at most 86,400"),
        ("duration = 10.0", "duration = 10\ncount = 5", "load.count and duration", "follows from the rate"),
        ("duration = 10.0", "", "load.count and duration", "follows from the rate"),
        ("duration = 10.0", "count = 0", "load.count is 0", "from 1"),
        ("duration = 10.0", "count = 1.5", "load.count is 1.5", "whole number"),
        ("at = 5.0", "at = -1", "fault[1].at is -1", "from 0"),
        ("at = 5.0", "at = 10", "fault[1].at lies after the load's end", "ends after 10 s"),
        ("at = 5.0", "at = 5\nrepeat = 3", "fault[1].every is missing", "how far apart"),
        ("at = 5.0", "at = 5\nrepeat = 3\nevery = 4", "fault[1].at lies after", "begins at 13 s"),
        ('action = "kill"', 'action = "explode"', 'fault[1].action is "explode"', "no such choice"),
        ('action = "kill"', 'action = "await"', 'fault[1].action is "await"', "no such choice"),
        ('action = "kill"', 'action = "kill"\nduration = 3', "fault[1].duration is not known", "known here"),
        ("restart_after = 1.0", "restart_after = -1", "fault[1].restart_after is -1", "from 0"),
        ('service = "worker"', "", "fault[1].service is missing", "no default"),
        ('body = { id = "{id}" }', "body = { a = 1 }", "event carries no id", "looked up"),
        ("%(ids)s", "1", "readback.rows does not use", "the run's ids"),
        ('subscription = "s"', 'subscription = ""', "readback.subscription is ''", "isn't empty"),
        ("worker = 2", "worker = 0", "shape.replicas.worker is 0", "from 1"),
        ("worker = 2", "worker = 2.5", "shape.replicas.worker is 2.5", "whole number"),
        ("[shape]", '[shape]\nheld = ["db"]', "shape.held names db", "unknown how many"),
        ("counted_per_minute = 5900", "lost = -1", "thresholds.lost is -1", "from 0"),
        ("counted_per_minute = 5900", "latency = 1", "thresholds.latency is not known", "latency_p99"),
        ("counted_per_minute = 5900", "accepted_percent = 101", "thresholds.accepted_percent is 101", "to 100"),
        ("[thresholds]", "[thresholds", "x.toml is not TOML", "line"),
        ('kind = "pulsar"\ntopic = "t"', 'kind = "http"\nurl = "http://a:1/"', "readback.access_log", "third source"),
    ],
)
def test_what_is_wrong_is_refused(old: str, new: str, where: str, why: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(UsageError) as caught:
        parse_scenario(text, "x.toml")
    assert where in caught.value.what
    assert caught.value.what.startswith("x.toml")
    assert why in caught.value.why + caught.value.out
    assert caught.value.out


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="can't be read"):
        load_scenario(Path("/nowhere/x.toml"))


def test_steps_of_a_fault() -> None:
    steps = """
at = 2.0
repeat = 2
every = 4.0
steps = [
  { action = "pause", service = "db" },
  { action = "await", condition = "unacknowledged", within = 5.0 },
  { action = "wait", seconds = 0.2 },
  { action = "kill", service = "worker", restart_after = 1.0 },
]
[readback]"""
    head, rest = GOOD.split("at = 5.0")[0], GOOD.split("[readback]")[1]
    fault = parse_scenario(head + steps.lstrip() + rest, "x.toml").faults[0]
    assert [step.action for step in fault.steps] == ["pause", "await", "wait", "kill"]
    assert (fault.repeat, fault.every, fault.steps[1].within, fault.steps[2].seconds) == (2, 4.0, 5.0, 0.2)


def parsed(**overrides: object):  # type: ignore[no-untyped-def]
    return parse_scenario(GOOD, "x.toml", Overrides(**overrides))  # type: ignore[arg-type]


def test_a_lower_rate_keeps_the_duration_and_lowers_what_follows_from_it() -> None:
    scenario = parsed(rate=10.0)
    assert (scenario.count, scenario.duration) == (100, 10.0)
    assert scenario.thresholds.counted_per_minute == pytest.approx(0.95 * 600)
    assert parsed(rate=1000.0).thresholds.counted_per_minute == 5900


def test_another_duration_keeps_the_faults_in_their_place() -> None:
    scenario = parsed(duration=4.0)
    assert (scenario.count, scenario.faults[0].at) == (400, 2.0)


def test_no_faults_expects_none() -> None:
    scenario = parsed(faults=False)
    assert (scenario.faults, scenario.expect.retried) == ((), 0)


def test_replicas_by_number_or_by_name() -> None:
    assert parsed(replicas=5).shape.replicas == {"worker": 5}
    assert parsed(replicas={"other": 3}).shape.replicas == {"worker": 2, "other": 3}


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"rate": 0.0}, "--rate is 0"),
        ({"rate": -1.0}, "--rate is -1"),
        ({"rate": float("nan")}, "--rate is nan"),
        ({"rate": 1e6}, "--rate is 1e+06"),
        ({"duration": 0.0}, "--duration is 0"),
        ({"count": 0}, "the count is 0"),
        ({"count": 5, "duration": 1.0}, "exclude each other"),
        ({"replicas": 0}, "replicas of worker is 0"),
        ({"partitions": 4}, "which partitions?"),
    ],
)
def test_flags_are_checked_too(overrides: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(**overrides)
    assert what in caught.value.what
    assert caught.value.out


def test_it_is_cheap_to_import() -> None:
    heavy = "{'pulsar', 'psycopg', 'aiohttp', 'rich', 'hdrh', 'asyncio'}"
    code = f"import sys, alpesctl.experiments.scenario; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


MIXED = (
    GOOD.replace("[load]", "[[load]]")
    .replace("[event]", '[[load]]\nkind = "http"\nurl = "http://web:80/x"\nrate = 50.0\nduration = 20.0\n[event]')
    .replace("[thresholds]", '[readback.access_log]\nservice = "web"\n[thresholds]')
)


def test_several_loads_share_the_events_and_keep_their_shares() -> None:
    scenario = parse_scenario(MIXED, "x.toml")
    assert [(load.kind, load.rate, load.count) for load in scenario.loads] == [
        ("pulsar", 100.0, 1_000),
        ("http", 50.0, 1_000),
    ]
    assert (scenario.rate, scenario.count, scenario.duration) == (150.0, 2_000, 20.0)
    assert scenario.loads[0].events == scenario.loads[1].events
    slower = parse_scenario(MIXED, "x.toml", Overrides(rate=15.0))
    assert [(load.rate, load.count) for load in slower.loads] == [(10.0, 100), (5.0, 100)]
    fewer = parse_scenario(MIXED, "x.toml", Overrides(count=200))
    assert [load.count for load in fewer.loads] == [100, 100]


def test_over_http_the_access_log_must_be_named() -> None:
    with pytest.raises(UsageError) as caught:
        parse_scenario(MIXED.replace('[readback.access_log]\nservice = "web"\n', ""), "x.toml")
    assert "readback.access_log is missing" in caught.value.what


def test_a_burst_has_no_other_load_beside_it() -> None:
    with pytest.raises(UsageError) as caught:
        parse_scenario(MIXED.replace("rate = 50.0\nduration = 20.0", 'model = "burst"\ncount = 5'), "x.toml")
    assert "has a burst among several" in caught.value.what


BAD = """[load]
counted_as = "rejected"
[[load.event]]
raw = '{"id": "{id}", "n": 1e999'
[[load.event]]
raw_base64 = "/3tpZH0="
properties = { commandId = "{id}" }
"""


def test_a_load_may_have_events_of_its_own_in_turn_that_must_be_rejected() -> None:
    text = GOOD.replace('[event]\nbody = { id = "{id}" }', "").replace("[load]\n", BAD.partition("[[")[0])
    text = text.replace("[[fault]]", BAD[BAD.index("[[") :] + "[[fault]]")
    with pytest.raises(UsageError) as caught:
        parse_scenario(text, "x.toml")
    assert "readback.rejected is missing" in caught.value.what
    (load,) = parse_scenario(text.replace("tally =", 'rejected = "x %(ids)s"\ntally ='), "x.toml").loads
    assert load.counted_as == "rejected"
    assert [event.raw for event in load.events] == [b'{"id": "{id}", "n": 1e999', b"\xff{id}"]


def test_what_is_included_fills_in_what_the_file_lacks_and_errors_name_the_file(tmp_path: Path) -> None:
    at = GOOD.index("[readback]")
    (tmp_path / "shared.toml").write_text('name = "other"\n' + GOOD[at:])
    text = 'include = ["shared.toml"]\n' + GOOD[:at]
    scenario = parse_scenario(text, "x.toml", folder=tmp_path)
    assert (scenario.name, scenario.readback.topic, scenario.thresholds.counted_per_minute) == ("x", "t", 5900)
    (tmp_path / "shared.toml").write_text(GOOD[at:].replace('topic = "t"', "topic = 1"))
    with pytest.raises(UsageError) as caught:
        parse_scenario(text, "x.toml", folder=tmp_path)
    assert caught.value.what.startswith(f"{tmp_path / 'shared.toml'}: readback.topic is 1")
    with pytest.raises(UsageError) as caught:
        parse_scenario(text.replace("shared", "none"), "x.toml", folder=tmp_path)
    assert "include names none.toml" in caught.value.what


def test_a_fault_may_hit_every_replica_and_a_restart_is_a_stop_that_ends_at_once() -> None:
    text = GOOD.replace('"kill"', '"restart"').replace("restart_after = 1.0", 'replica = "all"')
    (fault,) = parse_scenario(text, "x.toml").faults
    (step,) = fault.steps
    assert (fault.name, step.action, step.restart_after, step.replica) == ("restart all worker", "stop", 0.0, EVERY)
    with pytest.raises(UsageError) as caught:
        parse_scenario(text.replace('"all"', '"some"'), "x.toml")
    assert "use one of: all" in caught.value.out
