"""A health check that starts fast: `python -m services.process.probe URL` ends with 0 if it answers 200.

An engine runs it every few seconds in every container. http.client would take four times as long to import as
the whole check takes to run, so the one line of the answer that counts is read from the socket.
"""

import socket
import sys

TIMEOUT_S = 4.0


def healthy(url: str) -> bool:
    """Whether a plain http URL with a port answers a GET with 200."""
    authority, _, path = url.removeprefix("http://").partition("/")
    host, _, port = authority.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
            connection.sendall(f"GET /{path} HTTP/1.0\r\nHost: {authority}\r\n\r\n".encode())
            with connection.makefile("rb") as answer:
                return answer.readline(256).split(b" ")[1:2] == [b"200"]
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) == 2 and healthy(sys.argv[1]) else 1)
