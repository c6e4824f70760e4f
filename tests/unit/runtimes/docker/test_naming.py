"""Names and labels must be Compose's, to the letter: its filters find by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from alpesctl.runtimes.docker import naming
from alpesctl.stack.model import Dependency, Network, Service, Spec, Volume

WEB = Service(
    name="web",
    image="web:1",
    command=(),
    environment={},
    depends_on=(Dependency("db", "service_healthy"), Dependency("setup", "service_completed_successfully")),
    labels={"mine": "1"},
)
SPEC = Spec("shop", Path("/srv/shop"), (Path("/srv/shop/compose.yaml"),), {"web": WEB})


def test_a_container_is_labelled_as_compose_does_it() -> None:
    labels = naming.container_labels(SPEC, WEB, 2, digest="image=1", image_id="sha256:ab")
    version = labels.pop("com.docker.compose.version")
    config_hash = labels.pop("com.docker.compose.config-hash")
    assert version
    assert len(config_hash) == 64
    assert labels == {
        "mine": "1",
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "2",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.project.working_dir": "/srv/shop",
        "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
        "com.docker.compose.image": "sha256:ab",
        "com.docker.compose.depends_on": "db:service_healthy:false,setup:service_completed_successfully:false",
        "alpesctl.digest": "image=1",
    }


def test_a_volume_never_carries_a_hash() -> None:
    """With one that isn't Compose's own, `docker compose up -y` would delete the volume's data."""
    labels = naming.resource_labels(SPEC, naming.VOLUME, "data")
    assert set(labels) == {
        "com.docker.compose.project",
        "com.docker.compose.volume",
        "com.docker.compose.version",
        "alpesctl.working_dir",
    }
    assert labels["com.docker.compose.volume"] == "data"


def test_names_are_those_of_compose() -> None:
    assert naming.container("shop", "tracking_db", 1) == "shop-tracking_db-1"
    assert naming.volume(SPEC, "data") == "shop_data"
    assert naming.network(SPEC, "default") == "shop_default"
    named = replace(SPEC, volumes={"data": Volume("mine")}, networks={"back": Network("shared")})
    assert (naming.volume(named, "data"), naming.network(named, "back")) == ("mine", "shared")


def test_a_containers_address_is_read_from_its_labels() -> None:
    labels = {"com.docker.compose.service": "web", "com.docker.compose.container-number": "12"}
    assert naming.address(labels) == ("web", 12)
