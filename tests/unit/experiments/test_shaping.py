"""What was changed is put back: all of it, whichever part fails, and told."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alpesctl.errors import AlpesError
from alpesctl.experiments.model import Shape
from alpesctl.experiments.observer import Silent
from alpesctl.experiments.shaping import PutBack, held, shaped
from alpesctl.runtimes.base import State
from tests.unit.experiments.test_faults import PAPER, Stage


class Shaper:
    """Scales on paper; a service in `broken` can't be scaled down to 1."""

    def __init__(self, calls: list[Any], *broken: str) -> None:
        self.calls = calls
        self.broken = broken

    def scale(self, service: str, replicas: int) -> None:
        self.calls.append((service, replicas))
        if replicas == 1 and service in self.broken:
            raise AlpesError(f"{service} does not become healthy")

    def settle_consumers(self) -> None:
        self.calls.append("settled")


def bench(runtime: Any, shaper: Any) -> Any:
    return SimpleNamespace(runtime=runtime, shaper=shaper, admin=None, root=Path("/x"), journal=PAPER)


def test_each_service_is_put_back_though_one_fails_and_the_error_of_the_run_stays() -> None:
    calls: list[Any] = []
    put_back = PutBack()
    stack = bench(Stage(("a", 1), ("b", 1)), Shaper(calls, "a"))
    shape = Shape(replicas={"a": 2, "b": 3})
    with (
        pytest.raises(KeyError, match="of the run"),
        shaped(shape, stack, Silent(), put_back, lambda: calls.append("begin")),
    ):
        raise KeyError("of the run")
    assert calls == [("a", 2), ("b", 3), "settled", "begin", ("a", 1), ("b", 1)]
    assert put_back.done == ["b to 1 replicas"]
    assert put_back.failed == ["a to 1 replicas: a does not become healthy"]


class Stubborn(Stage):
    def start(self, service: str, number: int) -> None:
        if number == 1:
            raise AlpesError(f"{service}-1 does not start")
        super().start(service, number)


def test_each_held_replica_is_started_though_one_fails() -> None:
    stage, put_back, told = Stubborn(("w", 1), ("w", 2), ("w", 3)), PutBack(), list[str]()
    begin, resume = (lambda: told.append("begin")), (lambda: told.append("resume"))
    with (
        pytest.raises(AlpesError, match="w-1 does not start"),
        held(Shape(held=("w",)), bench(stage, None), Silent(), put_back, begin, resume),
    ):
        assert set(stage.states.values()) == {State.EXITED}
    assert list(stage.states.values()) == [State.EXITED, State.RUNNING, State.RUNNING]
    assert told == ["begin"]
    assert put_back.failed == ["held w-1: w-1 does not start"]


def test_an_error_under_load_is_not_replaced_by_that_of_a_start() -> None:
    put_back, nothing = PutBack(), (lambda: None)
    stack = bench(Stubborn(("w", 1)), None)
    with (
        pytest.raises(KeyboardInterrupt),
        held(Shape(held=("w",)), stack, Silent(), put_back, nothing, nothing),
    ):
        raise KeyboardInterrupt
    assert len(put_back.failed) == 1


def test_ctrl_c_waits_only_while_the_held_are_started() -> None:
    told: list[str] = []

    class Telling(Stage):
        def start(self, service: str, number: int) -> None:
            told.append("start")
            super().start(service, number)

    begin, resume = (lambda: told.append("begin")), (lambda: told.append("resume"))
    with held(Shape(held=("w",)), bench(Telling(("w", 1)), None), Silent(), PutBack(), begin, resume):
        assert told == []
    assert told == ["begin", "start", "resume"]
