"""A health check that starts fast: `python -m services.tracking.probe URL` ends with 0 if it answers 200."""

import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_S = 4.0


def healthy(url: str) -> bool:
    """Whether a plain http URL answers a GET with 200."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/" + path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) == 2 and healthy(sys.argv[1]) else 1)
