"""`alpesctl logs` must show the lines of all replicas in the order of their times, and go on with new ones."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tests.e2e.conftest import ROOT, Stack
from tests.waiting import eventually


def test_lines_of_several_services_must_be_in_the_order_of_their_times(stack: Stack) -> None:
    assert stack.post()[0] == 201
    lines = stack.ok("logs", "tracking", "tracking_nginx", "tracking_worker", "--json").data["lines"]
    times = [datetime.fromisoformat(line["at"]) for line in lines if line["at"]]
    # nginx tells whole seconds on standard error, and each replica's lines stay in their own order.
    assert all(later > earlier - timedelta(seconds=1) for earlier, later in pairwise(times))
    three = {f"tracking-{number}" for number in (1, 2, 3)}
    assert {line["replica"] for line in lines} >= {*three, "tracking_nginx-1", "tracking_worker-1"}


def test_since_and_grep_must_choose_lines(stack: Stack) -> None:
    begin = datetime.now(UTC).isoformat()
    assert stack.post()[0] == 201
    found = ("logs", "tracking_nginx", "--since", begin, "--grep", "POST|/tracking/interactions")
    lines = eventually(lambda: stack.ok(*found).stdout.splitlines(), what="the line of the request")
    assert len(lines) == 1
    assert lines[0].startswith("tracking_nginx-1 | ")
    assert stack.ok("logs", "--grep", "surely in no log of ours").stdout == ""


def test_new_lines_must_follow_until_one_has_enough(stack: Stack) -> None:
    words = stack.command("logs", "-f", "--tail", "0", "--grep", "/tracking/interactions", "tracking_nginx")
    process = subprocess.Popen(words, cwd=ROOT, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    os.set_blocking(process.stdout.fileno(), False)
    seen = b""

    def told() -> bool:
        nonlocal seen
        assert stack.post()[0] == 201
        seen += process.stdout.read() or b""  # type: ignore[union-attr]
        return b"/tracking/interactions" in seen

    eventually(told, what="a followed line")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert process.stderr.read() == b""
    process.stdout.close()
    process.stderr.close()
