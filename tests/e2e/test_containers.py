"""What holds of containers alone: their hardening, and what is published."""

from __future__ import annotations

import docker
import pytest

from tests.e2e.conftest import Stack
from tests.engine import RUNTIMES
from tests.waiting import eventually

pytestmark = pytest.mark.parametrize("stack", [name for name in RUNTIMES if name == "docker"], indirect=True)
OURS = ("tracking", "tracking_worker")


def inspected(stack: Stack) -> dict[str, dict[str, object]]:
    """Every container of the project, by name, as the engine tells it."""
    client = docker.DockerClient.from_env()
    try:
        label = f"com.docker.compose.project={stack.project_name}"
        found = client.containers.list(all=True, filters={"label": label})
        return {str(each.name).removeprefix(f"{stack.project_name}-"): each.attrs for each in found}
    finally:
        client.close()


def test_our_own_containers_must_be_hardened(stack: Stack) -> None:
    ours = {name: each for name, each in inspected(stack).items() if name.rpartition("-")[0] in OURS}
    assert len(ours) == 4
    for name, each in ours.items():
        host = each["HostConfig"]
        assert isinstance(host, dict)
        assert host["ReadonlyRootfs"] is True, name
        assert host["CapDrop"] == ["ALL"], name
        assert not host["CapAdd"], name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name
        assert host["Privileged"] is False, name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name


def test_nothing_of_ours_may_run_as_root_or_write_to_its_image(stack: Stack) -> None:
    runtime = stack.project().runtime
    for service in OURS:
        status = runtime.exec(service, 1, ["cat", "/proc/1/status"]).stdout
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert set(fields["Uid"].split()) == {"10001"}
        assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
        assert fields["NoNewPrivs"] == "1"
        written = runtime.exec(service, 1, ["touch", "/srv/alpes/services/new"])
        assert (written.exit_code, "Read-only file system" in written.stderr) == (1, True)


def test_a_container_killed_through_the_engine_must_stay_down_until_up(stack: Stack) -> None:
    client = docker.DockerClient.from_env()
    client.containers.get(f"{stack.project_name}-tracking_worker-1").kill()
    client.close()
    assert stack.ok("plan", "--json").data["operations"][0] == "start tracking_worker-1: it is stopped (exit code 137)"
    stack.ok("up")
    assert str(stack.replica("tracking_worker").health) == "healthy"


def test_only_what_changed_must_be_made_anew(stack: Stack) -> None:
    before = {name: each["Id"] for name, each in inspected(stack).items()}
    text = stack.env_file.read_text()
    stack.env_file.write_text(text + "\nSUBSCRIPTION_NAME=tracking-svc\nPULSAR_GC=-XX:+UseSerialGC\n")
    try:
        plan = stack.ok("plan", "--json").data["operations"]
        assert plan[0] == "stop pulsar-1: its environment (PULSAR_GC) changed"
        assert {operation.split(":")[0] for operation in plan if operation.startswith("create")} == {"create pulsar-1"}
        stack.ok("up")
        after = {name: each["Id"] for name, each in inspected(stack).items()}
        assert {name for name in after if after[name] != before.get(name)} == {"pulsar-1"}
    finally:
        stack.env_file.write_text(text)
        stack.ok("up")
        # The replicas' clients come back to the new broker by themselves, a moment after it is healthy.
        eventually(lambda: stack.post()[0] == 201, what="a replica that accepts")
