"""Turns an address as the stack knows it (`http://tracking:8010/…`) into one that answers on this machine."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from alpesctl.errors import UsageError
from alpesctl.runtimes.base import Runtime
from alpesctl.stack.model import Spec


def resolve(runtime: Runtime, spec: Spec, url: str) -> str:
    """Replace `service:port` in `url` by the service's endpoint on this machine.

    Raises UsageError where the host is no service of the stack, or the port is missing.
    """
    parts = urlsplit(url)
    if parts.hostname is None or parts.hostname not in spec.services or parts.port is None:
        raise UsageError(
            f"{url} does not name a service of the stack and its port",
            why=f"services are: {', '.join(sorted(spec.services))}",
            out="write scheme://service:port/path, the port as it is inside the stack",
        )
    endpoint = runtime.endpoint(parts.hostname, parts.port)
    credentials = parts.netloc.rpartition("@")[0]
    netloc = f"{credentials}@{endpoint}" if credentials else str(endpoint)
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))
