"""How much room a disk has."""

from __future__ import annotations

from pathlib import Path

import pytest

from alpesctl.runtimes.disks import parse, room

GNU = """Filesystem     1024-blocks    Used Available Capacity Mounted on
tmpfs               409600  102400    307200      25% /pulsar/data
"""
LONG_NAME = """Filesystem           1024-blocks    Used Available Capacity Mounted on
/dev/mapper/a-very-long-name-that-goes-on
                        200      40        60      40% /data
"""


@pytest.mark.parametrize(
    ("df", "size"), [(GNU, (409600 * 1024, 307200 * 1024)), (LONG_NAME, (200 * 1024, 60 * 1024)), ("", None)]
)
def test_what_df_prints(df: str, size: tuple[int, int] | None) -> None:
    assert parse(df) == size


def test_a_folder_that_is_not_there_yet_is_on_the_disk_above_it(tmp_path: Path) -> None:
    found = room("data", tmp_path / "not" / "yet")
    assert (found.path, found.total) == (str(tmp_path / "not" / "yet"), room("data", tmp_path).total)
    assert 0 < found.free <= found.total
