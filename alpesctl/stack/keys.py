"""Which keys of the Compose specification are supported, and which are known but not supported.

Source: the Compose specification (services, build, deploy, networks, volumes). A key in neither set is
no key of Compose at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from alpesctl.errors import ComposeError


@dataclass(frozen=True)
class Keys:
    supported: frozenset[str]
    known: frozenset[str] = frozenset()


def _keys(supported: str, known: str = "") -> Keys:
    return Keys(frozenset(supported.split()), frozenset(known.split()))


TOP = _keys("name services networks volumes include version", "configs secrets models")
INCLUDE = _keys("path project_directory env_file")
SERVICE = _keys(
    """build cap_add cap_drop command cpus depends_on deploy entrypoint environment expose healthcheck image init
    labels mem_limit networks pids_limit ports read_only restart scale security_opt stop_grace_period stop_signal
    tmpfs user volumes working_dir""",
    """container_name annotations attach blkio_config cgroup cgroup_parent configs cpu_count cpu_percent cpu_period
    cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpuset credential_spec develop device_cgroup_rules
    devices dns dns_opt dns_search domainname driver_opts env_file extends external_links
    extra_hosts gpus group_add hostname ipc isolation label_file links logging mac_address
    mem_reservation mem_swappiness memswap_limit models network_mode oom_kill_disable oom_score_adj pid
    platform post_start pre_stop privileged profiles provider pull_policy pull_refresh_after runtime
    secrets shm_size stdin_open storage_opt sysctls tty ulimits use_api_socket userns_mode
    uts volumes_from""",
)
BUILD = _keys(
    "args context dockerfile target",
    """additional_contexts cache_from cache_to dockerfile_inline entitlements extra_hosts isolation labels
    network no_cache no_cache_filter platforms privileged provenance pull sbom secrets shm_size ssh tags
    ulimits""",
)
DEPLOY = _keys("replicas resources", "endpoint_mode labels mode placement restart_policy rollback_config update_config")
RESOURCES = _keys("limits", "reservations")
LIMITS = _keys("cpus memory pids")
HEALTHCHECK = _keys("test interval timeout retries start_period disable", "start_interval")
DEPENDS_ON = _keys("condition", "required restart")
PORT = _keys("target published host_ip protocol mode name", "app_protocol")
MOUNT = _keys("type source target read_only", "bind volume tmpfs image consistency")
NETWORK = _keys(
    "driver name internal",
    "attachable driver_opts enable_ipv4 enable_ipv6 external ipam labels",
)
ATTACHMENT = _keys(
    "",
    "aliases ipv4_address ipv6_address link_local_ips mac_address driver_opts gw_priority interface_name priority",
)
VOLUME = _keys("driver name", "driver_opts external labels")

X_TOP = _keys("version memory pulsar stats addresses stand_ins")
X_PULSAR = _keys("service broker_port admin_port namespace topics retention")
X_TOPIC = _keys("name partitions subscription consumers producers retention")
X_RETENTION = _keys("size time")
X_STATS = _keys("title url columns total money shown")
X_ADDRESS = _keys("title url")
X_STAND_INS = _keys("env_file images")
X_STAND_IN = _keys("image debootstrap dockerfile recipe")
X_SERVICE = _keys("recipe listen external sources")
X_LISTEN = _keys("host port container_port")


def check(mapping: Any, keys: Keys, path: str, *, extensions: bool = True) -> Mapping[str, Any]:
    """`mapping` itself, once it is known to be a mapping with supported keys only.

    Raises ComposeError with the path of the first key that is wrong. `x-…` keys pass where `extensions`.
    """
    if not isinstance(mapping, dict):
        raise ComposeError(f"{path or 'compose file'}: a mapping is expected, not {mapping!r}")
    for key in mapping:
        where = f"{path}.{key}" if path else str(key)
        if not isinstance(key, str):
            raise ComposeError(f"{where}: a key must be text")
        if key in keys.supported or (extensions and key.startswith("x-")):
            continue
        if key in keys.known:
            raise ComposeError(
                f"{where}: alpesctl does not support this key of Compose",
                why="it would be ignored without a word, and the stack would not be what the file says",
                out="remove it, or start this stack with docker compose",
            )
        near = get_close_matches(key, keys.supported | keys.known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"keys here: {', '.join(sorted(keys.supported))}"
        raise ComposeError(f"{where}: Compose has no such key", out=hint)
    return mapping
