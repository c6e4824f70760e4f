"""A service for the contract tests: serves with a child process beside it, checks, or runs once."""

import http.server
import os
import signal
import subprocess
import sys
import threading
import urllib.request
import uuid

INSTANCE = uuid.uuid4().hex
# Never quite idle, so that a frozen one can be told from one that waits.
CHILD = "import time\nwhile True: time.sleep(0.1)"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{INSTANCE} {os.environ['GREETING']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve() -> int:
    child = subprocess.Popen([sys.executable, "-c", CHILD])
    server = http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
    mode = "stubborn" if os.environ.get("STUBBORN") else "polite"

    def stop(*_: object) -> None:
        print(f"{mode} stop", flush=True)
        if mode == "polite":
            threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    print("2026-01-01T00:00:00Z serving", flush=True)
    server.serve_forever()
    child.kill()
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        sys.exit(serve())
    if sys.argv[1] == "once":
        print("done once", flush=True)
        sys.exit(int(os.environ.get("CODE", "0")))
    urllib.request.urlopen(sys.argv[2], timeout=2).read()
