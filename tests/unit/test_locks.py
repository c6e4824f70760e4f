"""Two that change a project never meet; a run lets an operator shape the stack, and hears of it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from alpesctl.errors import MachineError
from alpesctl.locks import Locks


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    return Locks(tmp_path, "shop")


@pytest.mark.parametrize(
    ("first", "second"),
    [("whole", "whole"), ("whole", "run"), ("whole", "change"), ("run", "run"), ("run", "whole"), ("change", "whole")],
)
def test_two_that_exclude_each_other_never_meet(tmp_path: Path, first: str, second: str) -> None:
    held, late = Locks(tmp_path, "shop"), Locks(tmp_path, "shop")
    refused = pytest.raises(MachineError, match="another alpesctl is at work")
    with getattr(held, first)(), refused, getattr(late, second)():
        pass
    with getattr(late, second)():
        pass


def test_a_change_beside_a_run_is_told_and_noted(locks: Locks) -> None:
    with locks.change() as beside:
        assert not beside
    with locks.run():
        assert locks.changes() == []
        with locks.change() as beside:
            assert beside
        assert len(locks.changes()) == 1
        assert "UTC: alpesctl" in locks.changes()[0]
    assert locks.changes() == []


def test_a_run_that_shapes_waits_for_a_change_to_end(locks: Locks) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def shape() -> None:
        waiting.set()
        with locks.shaping():
            order.append("shaped")

    with locks.run():
        with locks.change():
            thread = threading.Thread(target=shape)
            thread.start()
            waiting.wait()
            order.append("changed")
        thread.join()
    assert order == ["changed", "shaped"]


def test_looking_whether_a_run_is_on_leaves_nothing_behind(tmp_path: Path) -> None:
    assert not Locks(tmp_path / "state", "shop").running()
    assert list(tmp_path.iterdir()) == []
