"""Finds the images that the tests need: what isn't on the engine is pulled; what can't be pulled is built.

A process of its own (`python -m tests.images FILE`): it works beside the unit tests, which change their environment. It
writes the variables by which compose files find the images, as one JSON object: none where they are the official
ones, else those of the stand-ins; nothing where there are no images.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from dotenv import dotenv_values

from alpesctl import atomic
from alpesctl.stack.load import load
from tests.engine import missing_images

ROOT = Path(__file__).resolve().parents[1]
STAND_INS = ROOT / "compose" / "stand-ins.env"


def find() -> dict[str, str]:
    services = load(start=ROOT, environment={}).services.values()
    if not missing_images({service.image for service in services if service.build is None}):
        return {}
    stand_ins = {name: image for name, image in dotenv_values(STAND_INS).items() if image}
    if missing_images([image for name, image in stand_ins.items() if name != "ALPES_SERVICES_IMAGE"]):
        if _alpesctl("pull"):
            return {}
        if not _alpesctl("build"):
            raise SystemExit("the images can be neither pulled nor built: the output above says why")
    return stand_ins


def _alpesctl(word: str) -> bool:
    command = [Path(sys.executable).parent / "alpesctl", "--runtime", "docker", "images", word]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=1800, check=False)
    return done.returncode == 0


if __name__ == "__main__":
    found = ""
    try:
        found = json.dumps(find())
    finally:
        atomic.write_text(Path(sys.argv[1]), found)
