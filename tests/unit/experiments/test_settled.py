"""Settled means twice in a row, within bounds, with the reason where not."""

from collections.abc import Iterator, Mapping

from alpesctl.errors import StackDownError
from alpesctl.experiments.settled import Settled, wait_settled


def settle(readings: list[Mapping[str, int] | Exception], timeout: float = 60.0) -> tuple[Settled, int]:
    clock = [0.0]
    left: Iterator[Mapping[str, int] | Exception] = iter(readings)
    used = [0]

    def read() -> Mapping[str, int]:
        used[0] += 1
        reading = next(left)
        if isinstance(reading, Exception):
            raise reading
        return reading

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    return wait_settled(read, timeout, sleep=sleep, now=lambda: clock[0]), used[0]


def test_twice_in_a_row() -> None:
    busy = {"in the backlog": 3, "dead letters": 0}
    idle = {"in the backlog": 0, "dead letters": 0}
    settled, used = settle([busy, idle, busy, idle, idle, busy])
    assert (settled.reason, used) == ("", 5)


def test_the_reason_names_what_is_left() -> None:
    settled, _ = settle([{"in the backlog": 1200, "dead letters": 0}] * 20, timeout=3.0)
    assert settled.reason == "not settled after 4 s: 1,200 in the backlog"


def test_a_part_that_is_away_is_asked_again() -> None:
    idle = {"in the backlog": 0}
    settled, _ = settle([StackDownError("the database does not answer", why="refused"), idle, idle])
    assert settled.reason == ""
