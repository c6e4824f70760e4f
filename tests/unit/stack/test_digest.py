from dataclasses import replace
from pathlib import Path

from alpesctl.stack.digest import digest
from alpesctl.stack.model import Dependency, Mount, Service

WEB = Service("web", "image", ("run",), {"A": "1"})


def test_what_a_replica_is_made_from_changes_its_digest() -> None:
    assert digest(WEB) == digest(replace(WEB))
    assert digest(WEB) != digest(replace(WEB, command=("run", "fast")))
    assert digest(WEB) != digest(replace(WEB, environment={"A": "2"}))


def test_what_surrounds_it_does_not() -> None:
    assert digest(WEB) == digest(replace(WEB, replicas=3, depends_on=(Dependency("db", "service_started"),)))


def test_the_content_of_a_bound_file_does(tmp_path: Path) -> None:
    file = tmp_path / "conf"
    file.write_text("one")
    bound = replace(WEB, mounts=(Mount("bind", str(file), "/conf"),))
    before = digest(bound)
    file.write_text("two")
    assert digest(bound) != before
