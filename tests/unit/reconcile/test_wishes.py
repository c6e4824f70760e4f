"""What the user wished for is kept, and forgotten with the data."""

from __future__ import annotations

from pathlib import Path

from alpesctl.reconcile.wishes import Wishes, WishFile
from alpesctl.stack.model import NAMESPACE
from alpesctl.stack.retention import Retention


def test_counts_and_stand_ins_do_not_forget_each_other(tmp_path: Path) -> None:
    file = WishFile(tmp_path / "wishes.json")
    file.wish(replicas={"web": 3})
    file.use_stand_ins(True)
    file.wish(replicas={"worker": 6})
    assert file.load() == Wishes({"web": 3, "worker": 6}, stand_ins=True)


def test_each_kind_of_wish_leaves_the_others_alone(tmp_path: Path) -> None:
    file = WishFile(tmp_path / "wishes.json")
    file.wish(replicas={"web": 3})
    file.wish(partitions={"orders": 6})
    file.wish_retention(NAMESPACE, Retention(-1, -1))
    file.wish_retention("orders", Retention(20480, 10080))
    assert file.load() == Wishes(
        {"web": 3}, False, {"orders": 6}, {NAMESPACE: Retention(-1, -1), "orders": Retention(20480, 10080)}
    )
    file.wish_retention("orders", None)
    assert file.load().retention == {NAMESPACE: Retention(-1, -1)}


def test_clearing_forgets_counts_and_keeps_stand_ins(tmp_path: Path) -> None:
    file = WishFile(tmp_path / "wishes.json")
    file.wish(replicas={"web": 3})
    file.clear()
    assert file.load() == Wishes()
    file.use_stand_ins(True)
    file.wish(replicas={"web": 3})
    file.clear()
    assert file.load() == Wishes(stand_ins=True)


def test_a_file_of_an_older_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wishes.json"
    path.write_text('{"replicas": {"web": 2}}')
    assert WishFile(path).load() == Wishes({"web": 2})
