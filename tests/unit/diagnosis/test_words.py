"""The cause in a log: what a person would point at, said once."""

from __future__ import annotations

from alpesctl.diagnosis.words import cause

PYTHON = """starting
Traceback (most recent call last):
  File "/app/serve.py", line 3, in <module>
    connect()
    ~~~~~~~^^
psycopg.OperationalError: connection to 127.0.0.1 port 5442 failed
bye""".splitlines()

JAVA = """2026-11-24T17:00:00,123+0000 [main] ERROR org.apache.Bookie - No writable ledger dirs
java.io.IOException: No space left on device
\tat java.base/java.io.FileOutputStream.writeBytes(Native Method)
\tat org.apache.Error.handle(Error.java:1)""".splitlines()


def test_of_a_python_trace_the_error_itself_is_the_cause() -> None:
    assert cause(PYTHON) == ["psycopg.OperationalError: connection to 127.0.0.1 port 5442 failed"]


def test_of_a_java_trace_no_frame_is_a_cause_and_times_are_left_out() -> None:
    assert cause(JAVA) == [
        "[main] ERROR org.apache.Bookie - No writable ledger dirs",
        "java.io.IOException: No space left on device",
    ]


def test_what_is_said_again_and_again_is_said_once_and_the_last_three_are_kept() -> None:
    lines = [f"error {kind} in batch {number}" for kind in "abcd" for number in range(50)]
    assert cause(lines) == [f"error {kind} in batch 49" for kind in "bcd"]


def test_a_json_line_is_told_by_its_message_and_its_reason() -> None:
    line = '{"level": "error", "event": "not counted", "error": "relation missing", "time": "2026-11-24T17:00:00Z"}'
    assert cause(["{not json", line, "all well"]) == ["error: not counted: relation missing"]


def test_without_an_error_the_last_words_are_told_and_an_empty_log_says_nothing() -> None:
    assert cause(["one", "two", ""]) == ["its last line: two"]
    assert cause([]) == []


def test_a_word_that_only_holds_an_error_is_none() -> None:
    assert cause(["the terrors of errorless days", "over"]) == ["its last line: over"]


def test_a_long_line_is_cut() -> None:
    assert len(cause(["error " + "x" * 5000])[0]) == 300
