"""A busy container is frozen once the kernel can; everything else that the engine refuses is refused at once."""

from typing import Any

import pytest
from docker.errors import APIError

from alpesctl.runtimes.docker.execution import freeze


class Engine:
    """Refuses with these words, one a call, then pauses."""

    def __init__(self, *refusals: str) -> None:
        self._refusals = list(refusals)
        self.calls = 0

    def pause(self, _container: str) -> None:
        self.calls += 1
        if self._refusals:
            raise APIError("no", explanation=self._refusals.pop(0))


def frozen(engine: Engine) -> None:
    api: Any = engine
    freeze(api, "c")


def test_a_busy_container_is_tried_again() -> None:
    engine = Engine("OCI runtime pause failed: unable to freeze: unknown", "unable to freeze")
    frozen(engine)
    assert engine.calls == 3


@pytest.mark.parametrize(("words", "calls"), [("unable to freeze", 20), ("is already paused", 1)])
def test_what_does_not_pass_is_said(words: str, calls: int) -> None:
    engine = Engine(*[words] * 30)
    with pytest.raises(APIError):
        frozen(engine)
    assert engine.calls == calls
