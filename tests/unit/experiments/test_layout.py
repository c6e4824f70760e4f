"""Each event of the ledger belongs to one load: all warm-ups first, then what is measured."""

from alpesctl.experiments.layout import Layout
from alpesctl.experiments.model import Load

LOADS = (
    Load("pulsar", "open", "t", 10.0, 5, warmup_rate=2.0, warmup_duration=1.0),
    Load("http", "open", "t", 10.0, 3),
    Load("http", "open", "u", 10.0, 4, warmup_rate=3.0, warmup_duration=1.0),
)


def test_every_event_belongs_to_its_load() -> None:
    layout = Layout(LOADS)
    assert (layout.count, layout.warmup_count) == (17, 5)
    assert [LOADS.index(layout.load_of(i)) for i in range(17)] == [0, 0, 2, 2, 2, *[0] * 5, *[1] * 3, *[2] * 4]
    assert [layout.first(n, measured=False) for n in range(3)] == [0, 2, 2]
    assert [layout.first(n, measured=True) for n in range(3)] == [5, 10, 13]
