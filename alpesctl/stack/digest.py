"""The digest of a service's configuration: what changes it makes a replica be created anew."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alpesctl.stack.model import Service

# What may change without a replica being created anew.
_NOT_OF_THE_REPLICA = ("replicas", "depends_on", "build")


def digest(service: Service) -> str:
    """SHA-256 (hex, 16 digits) over what a replica of `service` is made from, bound files included."""
    body: dict[str, Any] = {k: v for k, v in asdict(service).items() if k not in _NOT_OF_THE_REPLICA}
    body["files"] = {
        mount.target: hashlib.sha256(Path(mount.source).read_bytes()).hexdigest()
        for mount in service.mounts
        if mount.kind == "bind" and Path(mount.source).is_file()
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:16]
