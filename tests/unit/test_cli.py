"""Where on the command line the options of all commands may stand."""

from __future__ import annotations

import pytest

from alpesctl.cli import arranged


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("status --runtime docker", "--runtime docker status"),
        ("status --runtime=docker --env-file e -x", "--runtime=docker --env-file e status -x"),
        ("--json status", "status --json"),
        ("--json partition show", "partition show --json"),
        ("logs -f web", "logs -f web"),
        (
            "exec web --project-name p -- tool --json --runtime x",
            "--project-name p exec web -- tool --json --runtime x",
        ),
        ("exec web --json -- tool", "exec web --json -- tool"),
        ("status --runtime", "--runtime status"),
    ],
)
def test_options_may_stand_before_and_behind_the_command(words: str, expected: str) -> None:
    assert arranged(words.split()) == expected.split()
