"""The cause in a log: its last lines that speak of an error. Pure: gets lines, returns lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_MOST = 3
_LONGEST = 300
_ERROR = re.compile(
    r"\b(error|fatal|critical|panic|emerg|exception|failed|failure|refused|denied|cannot|could not|can't"
    r"|no space left|out ?of ?memory|no such file|killed)\b|(Error|Exception)\b",
    re.IGNORECASE,
)
# A stack trace's own lines: the error itself stands before them (Java) or after them (Python).
_TRACE = re.compile(r"^\s+(at |File |\.\.\. \d+ more)|^Traceback |^\s{4,}\S|^\s*[\^~]+\s*$")
# What differs between two lines that say the same: times, ids, addresses.
_VARYING = re.compile(r"\d+|0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}")
_STAMP = re.compile(r"^\W{0,2}\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d\S*\s*(?:UTC\s*)?")


def cause(lines: Iterable[str]) -> list[str]:
    """The last error-like lines, oldest first, each said once; where none speaks of an error, the last
    line, called so."""
    texts = [text for line in lines if (text := _readable(line))]
    found: list[str] = []
    said: set[str] = set()
    for text in reversed(texts):
        if _TRACE.match(text) or not _ERROR.search(text):
            continue
        kind = _VARYING.sub("#", text)
        if kind not in said:
            said.add(kind)
            found.append(_short(text))
        if len(found) == _MOST:
            break
    return found[::-1] or [f"its last line: {_short(text)}" for text in texts[-1:]]


def _readable(line: str) -> str:
    """A line without its time; of a JSON line its message and what explains it."""
    text = line.rstrip()
    if text.startswith("{"):
        try:
            body = json.loads(text)
        except ValueError:
            return text
        said = [
            str(body[key]) for key in ("level", "event", "message", "error", "exception", "reason") if body.get(key)
        ]
        return " ".join(": ".join(said).split()) or text
    return _STAMP.sub("", text)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
