"""A command loads what it needs, and nothing else: every import is time that its user waits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("docker", "requests", "pulsar", "psycopg", "aiohttp", "fastapi", "sqlmodel", "pydantic_settings", "jgo")
PROGRAM = """
import sys
from alpesctl.cli import main
try:
    main()
except SystemExit:
    pass
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    ("words", "needless"),
    [
        (["--help"], (*HEAVY, "yaml", "rich", "psutil", "supervisor", "pydantic")),
        (["--runtime", "local", "retention", "show"], HEAVY),
        (["--runtime", "local", "partition", "show"], HEAVY),
    ],
)
def test_a_command_loads_no_more_than_it_needs(tmp_path: Path, words: list[str], needless: tuple[str, ...]) -> None:
    state = tmp_path / "alpes-imports" / "replicas" / "pulsar-1"
    state.mkdir(parents=True)  # a project that is up, on the local runtime: no engine has to be asked
    state.joinpath("replica.json").write_text(RECORD)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--project-name", "alpes-imports", *words],
        cwd=ROOT,
        env={"ALPES_STATE_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert words[0] == "--help" or "Pulsar's admin endpoint does not answer" in done.stderr  # so far it came
    loaded = done.stdout.rpartition("loaded:")[2].split()
    assert "typer" in loaded
    assert set(loaded) & set(needless) == set()


RECORD = """{"service": "pulsar", "number": 1, "digest": "", "recipe": "pulsar", "autorestart": true,
"on_failure": false, "one_shot": false, "stop_signal": "SIGTERM", "stop_grace": 1.0, "ports": {"8080": 1},
"health_url": "", "health_command": [], "health_timeout": 1.0}"""
