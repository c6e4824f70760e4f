"""What is stored must survive the replica that stored it: its volume stays, its address may not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker

from tests.e2e.conftest import Stack
from tests.waiting import eventually


@contextmanager
def address_taken(stack: Stack, service: str) -> Iterator[None]:
    """While inside, a container made anew for the service can't have the address that the last one had.

    Local replicas keep theirs: nothing to take.
    """
    if stack.runtime != "docker":
        stack.project().runtime.remove(service, 1)
        yield
        return
    client = docker.DockerClient.from_env()
    container = client.containers.get(f"{stack.project_name}-{service}-1")
    network = f"{stack.project_name}_backend"
    image = container.attrs["Config"]["Image"]
    stack.project().runtime.remove(service, 1)
    squatter = client.containers.run(image, ["sleep", "300"], entrypoint="", network=network, detach=True)
    try:
        yield
    finally:
        squatter.remove(force=True, v=True)
        client.close()


def test_a_broker_that_is_made_anew_must_have_what_was_accepted_before(stack: Stack) -> None:
    before = stack.settled()
    runtime = stack.project().runtime
    runtime.stop("tracking_worker", 1)
    assert [stack.post()[0] for _ in range(20)] == [201] * 20
    runtime.kill("pulsar", 1)
    with address_taken(stack, "pulsar"):
        stack.ok("up")
    eventually(lambda: stack.counted() >= before + 20, within=60, what="the backlog is counted")
    assert stack.counted() == before + 20
    eventually(lambda: stack.post()[0] == 201, what="a replica that accepts")


def test_a_database_that_is_made_anew_must_have_what_was_counted_before(stack: Stack) -> None:
    before = stack.settled()
    assert stack.post()[0] == 201
    eventually(lambda: stack.counted() == before + 1, what="it is counted")
    daily = stack.daily()
    stack.project().runtime.kill("tracking_db", 1)
    with address_taken(stack, "tracking_db"):
        stack.ok("up")
    assert stack.daily() == daily
