"""What is shown while a run goes on."""

import io

from alpesctl.experiments.faults import FaultEvent
from alpesctl.experiments.live import Plain, fault_words, observer, sample_words
from alpesctl.experiments.observer import Sample

SAMPLE = Sample(1.0, 1500, 1490, 3, 0, 7, None, None, 1500.0, 1490.0, None, 42.4)


def test_a_stream_that_is_no_terminal_gets_plain_lines() -> None:
    stream = io.StringIO()
    view = observer(stream)
    assert isinstance(view, Plain)
    view.phase("load", "90,000 events")
    for _ in range(3):
        view.sample(SAMPLE)
    view.fault(FaultEvent(1.0, 1.1, "kill", "w-2"))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("load: 90,000 events")
    assert lines[2].endswith("kill w-2")


def test_words() -> None:
    assert sample_words(SAMPLE) == (
        "sent 1,500 (1,500/s) · accepted 1,490 · counted ? · waiting ? · in doubt 3 · 42 s left"
    )
    assert fault_words(FaultEvent(1.0, 1.1, "kill", "w-2", "gone")) == "kill w-2: did not happen: gone"
