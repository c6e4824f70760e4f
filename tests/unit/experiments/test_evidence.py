"""Reading the access log and messages, and how counters move."""

from alpesctl.experiments.evidence import (
    LogEntry,
    Snapshot,
    body_id,
    movement,
    parse_access_log,
    redelivered,
    upstreams,
)
from alpesctl.experiments.ids import as_bytes
from alpesctl.experiments.model import AccessLog

ID = "0f0e0d0c-0b0a-4908-8706-050403020100"
OTHER = "1f0e0d0c-0b0a-4908-8706-050403020100"


def line(key: str, status: int, tried: str) -> str:
    return (
        f'{{"time":"1795519247.275","request":"POST /tracking/interactions HTTP/1.1","status":{status},'
        f'"key":"{key}","request_id":"ab","upstreams":"{tried}","upstream_statuses":"201","seconds":"0.004"}}'
    )


def test_lines_become_requests_by_key() -> None:
    lines = [
        "2026/11/24 11:20:44 [warn] 12#12: *1 upstream server temporarily disabled",
        line(ID, 201, "127.0.0.1:8012, 127.0.0.1:8010"),
        line(OTHER, 503, "127.0.0.1:8010") + "\n",
        line(OTHER, 201, "127.0.0.1:8011"),
        line("", 200, ""),
        line("not-a-uuid", 201, "127.0.0.1:8010"),
        '{"broken": ',
        '{"key": 3}',
        "[]",
    ]
    found = parse_access_log(lines, AccessLog("nginx"))
    assert found == {
        as_bytes(ID): [LogEntry(201, 2)],
        as_bytes(OTHER): [LogEntry(503, 1), LogEntry(201, 1)],
    }


def test_upstreams_are_counted_as_nginx_writes_them() -> None:
    assert [upstreams(t) for t in ("", "-", "a:1", "a:1, b:1", "a:1, b:1 : c:1", "unix:/x")] == [
        0,
        0,
        1,
        2,
        3,
        1,
    ]


def test_the_id_in_a_body() -> None:
    assert body_id(f'{{"interaction_id":"{ID}"}}'.encode(), "interaction_id") == as_bytes(ID)
    for body in (
        b"",
        b"\xff",
        b"[]",
        b"3",
        b'"x"',
        b"{}",
        b'{"interaction_id":7}',
        b'{"interaction_id":"x"}',
    ):
        assert body_id(body, "interaction_id") is None


def test_movement_leaves_out_what_stood_still() -> None:
    assert movement({("d", "ok"): 5, ("d", "error"): 1}, {("d", "ok"): 7, ("d", "error"): 1, ("e", "ok"): 2}) == {
        ("d", "ok"): 2,
        ("e", "ok"): 2,
    }


def test_deliveries_count_from_the_runs_start() -> None:
    before = Snapshot({}, {}, {"w1": (5, 2), "w2": (1, 1)})
    after = Snapshot({}, {}, {"w1": (8, 2), "w2": (1, 1), "w3": (0, 4)})
    assert redelivered(before, after) == {"w1": (3, 0), "w3": (0, 4)}
