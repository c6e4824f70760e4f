"""What the Docker runtime must do beyond the contract: networks, volumes, and what other tools made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from alpesctl.errors import ForeignError, MachineError
from alpesctl.reconcile.observed import observe
from alpesctl.reconcile.plan import Desired, plan_up, with_dependencies
from alpesctl.reconcile.shell import as_shell
from alpesctl.runtimes.base import Runtime, State
from alpesctl.runtimes.docker import naming
from alpesctl.stack.model import Mount, Spec, Volume
from tests.contract.acting import apply_down, apply_up, get, in_shell, web
from tests.contract.labs import DockerLab
from tests.engine import RUNTIMES


@pytest.fixture(scope="module", params=[name for name in RUNTIMES if name == "docker"])
def lab(request: pytest.FixtureRequest) -> DockerLab:
    return DockerLab(request.getfixturevalue("images").get("PYTHON_IMAGE", ""))


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.DockerClient.from_env()
    yield client
    client.close()


@pytest.fixture
def with_data(lab: DockerLab, spec: Spec) -> Iterator[tuple[Spec, Runtime]]:
    """The project with a volume, under a name of its own, not up."""
    mounts = (*spec.services["web"].mounts, Mount("volume", "data", "/data"))
    services = {**spec.services, "web": dataclasses.replace(spec.services["web"], mounts=mounts)}
    changed = dataclasses.replace(spec, project=f"{spec.project}-data", services=services, volumes={"data": Volume()})
    runtime = lab.open(changed)
    yield changed, runtime
    apply_down(runtime, changed)
    runtime.remove_volumes()


def test_down_leaves_volumes_and_nothing_else(with_data: tuple[Spec, Runtime], engine: docker.DockerClient) -> None:
    spec, runtime = with_data
    runtime.prepare(spec)
    apply_up(runtime, spec, {"web": 1})
    ours = {"label": f"{naming.PROJECT}={spec.project}"}
    assert [network.name for network in engine.networks.list(filters=ours)] == [f"{spec.project}_default"]
    apply_down(runtime, spec)
    assert engine.containers.list(all=True, filters=ours) == []
    assert engine.networks.list(filters=ours) == []
    assert [volume.name for volume in engine.volumes.list(filters=ours)] == [f"{spec.project}_data"]
    assert runtime.remove_volumes() == [f"{spec.project}_data"]
    assert engine.volumes.list(filters=ours) == []


def test_a_whole_plan_in_a_shell_makes_what_the_plan_makes(with_data: tuple[Spec, Runtime]) -> None:
    spec, runtime = with_data
    digests = {name: runtime.digest(service) for name, service in spec.services.items()}
    desired = Desired(spec, with_dependencies(spec, ()), {"web": 2}, digests)
    plan = plan_up(desired, observe(runtime, spec, None))
    assert "create web-2: there is none" in str(plan)
    in_shell(*as_shell(plan, spec, desired.counts, runtime))
    assert apply_up(runtime, spec, {"web": 2}) == []
    assert get(runtime, 2).greeting == "50% off"


def test_another_folders_data_is_left_alone_though_nothing_runs(
    with_data: tuple[Spec, Runtime], lab: DockerLab, tmp_path: Path
) -> None:
    spec, runtime = with_data
    runtime.prepare(spec)
    with pytest.raises(ForeignError, match=str(spec.directory)):
        lab.open(dataclasses.replace(spec, directory=tmp_path))


def test_a_volume_in_use_is_named_with_who_uses_it(
    with_data: tuple[Spec, Runtime], engine: docker.DockerClient
) -> None:
    spec, runtime = with_data
    runtime.prepare(spec)
    image = spec.services["web"].image
    holder = engine.containers.create(image, ["true"], name="contract-holder", volumes=[f"{spec.project}_data:/d"])
    try:
        with pytest.raises(MachineError, match="used by contract-holder"):
            runtime.remove_volumes()
    finally:
        holder.remove()


def test_a_container_whose_network_was_made_anew_is_made_anew_too(
    runtime: Runtime, spec: Spec, engine: docker.DockerClient
) -> None:
    for number in (1, 2):
        runtime.stop("web", number)
    network = engine.networks.get(f"{spec.project}_default")
    network.remove()
    runtime.prepare(spec)
    operations = apply_up(runtime, spec)
    assert "create web-1: its networks changed" in operations
    assert web(runtime, 1).state is State.RUNNING
    assert apply_up(runtime, spec) == []


def test_what_compose_ran_once_goes_down_with_the_rest(
    runtime: Runtime, spec: Spec, engine: docker.DockerClient
) -> None:
    labels = {naming.PROJECT: spec.project, naming.ONE_OFF: "True", naming.SERVICE: "web", naming.CONFIG_HASH: "x"}
    left = engine.containers.run(
        spec.services["web"].image,
        ["sleep", "300"],
        labels=labels,
        network=f"{spec.project}_default",
        detach=True,
        stop_signal="SIGKILL",
    )
    assert [replica.name for replica in runtime.replicas()] == ["once-1", "web-1", "web-2"]
    apply_down(runtime, spec)
    with pytest.raises(docker.errors.NotFound):
        engine.containers.get(left.id)
    with pytest.raises(docker.errors.NotFound):
        engine.networks.get(f"{spec.project}_default")


def test_a_stop_by_docker_itself_has_the_grace_of_the_compose_file(
    runtime: Runtime, spec: Spec, engine: docker.DockerClient
) -> None:
    container = engine.containers.get(f"{spec.project}-web-1")
    assert container.attrs["Config"]["StopTimeout"] == 3


def test_a_container_removed_by_another_tool_is_no_error(
    runtime: Runtime, spec: Spec, engine: docker.DockerClient
) -> None:
    engine.containers.get(f"{spec.project}-web-2").remove(force=True)
    runtime.remove("web", 2)
    apply_up(runtime, spec)
    assert get(runtime, 2).greeting == "50% off"
