"""The run's clock can't jump, and tells when the wall clock did."""

import time

import pytest

from alpesctl.experiments.generator import Clock


@pytest.mark.parametrize("step", [0.0, 2.5, -0.08])
def test_a_step_of_the_wall_clock_is_seen(step: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, real = Clock(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + step)
    assert clock.stepped() == pytest.approx(step, abs=0.005)
    assert clock.now() == pytest.approx(real(), abs=0.05)
