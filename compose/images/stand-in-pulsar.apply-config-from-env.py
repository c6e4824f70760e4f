#!/usr/bin/env python3
"""Writes settings from the environment into Pulsar's configuration files, named as arguments.

A variable with the name of a key of the file, commented out or not, replaces that key's line.
PULSAR_PREFIX_key does so for any key, and adds the key where the file lacks it.
"""

import os
import re
import sys
from pathlib import Path

PREFIX = "PULSAR_PREFIX_"
LINE = re.compile(r"^\s*#?\s*([A-Za-z_][\w.-]*)\s*=")


def applied(text: str, environment: dict[str, str]) -> tuple[str, list[str]]:
    """The text with the environment's settings in it, and the names of the keys that were set."""
    lines = text.splitlines()
    # The last line counts where a key stands more than once: that is the one that Java takes.
    places = {match.group(1): index for index, line in enumerate(lines) if (match := LINE.match(line))}
    prefixed = {name[len(PREFIX) :]: value for name, value in environment.items() if name.startswith(PREFIX)}
    plain = {name: value for name, value in environment.items() if name in places}
    wished = {name: value.strip() for name, value in {**plain, **prefixed}.items() if name}
    for name, value in sorted(wished.items()):
        if name in places:
            lines[places[name]] = f"{name}={value}"
        else:
            lines.append(f"{name}={value}")
    return "\n".join([*lines, ""]), sorted(wished)


def main(paths: list[str]) -> int:
    if not paths:
        print("usage: apply-config-from-env.py FILE...", file=sys.stderr)
        return 2
    for path in map(Path, paths):
        text, names = applied(path.read_text(encoding="utf-8"), dict(os.environ))
        path.write_text(text, encoding="utf-8")
        # Names only: a value may be a password.
        print(f"{path}: {', '.join(names) or 'nothing'} from the environment")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
