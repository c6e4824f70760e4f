"""A minimal Debian from `debootstrap`, as an archive that an engine can import, with this machine's ways to packages.

Only for stand-ins: images on a machine whose engine reaches no registry.
"""

from __future__ import annotations

import io
import os
import platform
import re
import shutil
import ssl
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from alpesctl.errors import MachineError
from alpesctl.runtimes.base import Report, Step

_CA_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
# What the package ca-certificates adds to the bundle when it makes it anew.
_CA_LOCAL = "usr/local/share/ca-certificates/machine.crt"
_PIP_CONF = Path("/etc/pip.conf")
# Of the system's own, what no image needs; licences stay.
_LEFT_OUT = re.compile(
    r"(dev|proc|sys|tmp|run)/.+"
    r"|var/(cache/apt|lib/apt/lists|log)/.+"
    r"|var/cache/debconf/.+-old"
    r"|usr/share/(man|info|locale|lintian)/.+"
    r"|usr/share/doc/(?:[^/]+/(?!copyright$).*)"
)
# This machine's sources of packages, one a line: URI, code name, component.
_TARGETS = ("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)", "Created-By: Packages")
_APT_SETTINGS = re.compile(r"^Acquire::(Check-|https?::Proxy|Retries).*$", re.MULTILINE)


def cached(suite: str, cache_dir: Path) -> Path:
    """Where the archive lies, once it is made."""
    return cache_dir / "debian" / f"{suite}-{platform.machine()}.tar"


def archive(suite: str, cache_dir: Path, report: Report | None = None, *, anew: bool = False) -> Path:
    """The archive of a minimal `suite` in the cache, made the first time. Nothing of this machine is in it."""
    path = cached(suite, cache_dir)
    if path.is_file() and not anew:
        return path
    _check_machine()
    what = f"debootstrap {suite}"
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix="unfinished-"))
    try:
        _debootstrap(suite, folder / "root", what, report)
        with tarfile.open(folder / "root.tar", "w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(folder / "root", arcname=".", filter=_kept)
        (folder / "root.tar").rename(path)
    except OSError as error:
        raise MachineError(
            f"the minimal Debian can't be made in {path.parent}",
            why=str(error),
            out="make room, or set ALPES_CACHE_DIR",
        ) from error
    finally:
        _unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)
    if report is not None:
        report(Step(what, path.stat().st_size, path.stat().st_size, finished=True))
    return path


def with_machine(archive: Path, target: Path, machine: Mapping[str, bytes]) -> None:
    """Write the archive again, with `machine`'s files in it."""
    files = {f"./{name}": content for name, content in machine.items()}
    with (
        tarfile.open(archive) as source,
        tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for member in source:
            if member.name not in files:  # an engine refuses an archive that names a file twice
                tar.addfile(member, source.extractfile(member) if member.isreg() else None)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))


def machine(suite: str) -> dict[str, bytes]:
    """The files, by path, that make apt and pip work in an image as they do on this machine.

    Raises MachineError where a password would be among them: what an image holds, everyone who has the image reads.
    """
    files: dict[str, bytes] = {}
    bundle = next((path for path in (ssl.get_default_verify_paths().cafile, f"/{_CA_BUNDLE}") if _readable(path)), None)
    if bundle:
        files[_CA_BUNDLE] = files[_CA_LOCAL] = Path(bundle).read_bytes()
    if _readable(_PIP_CONF):
        lines = _PIP_CONF.read_text(errors="replace").splitlines()
        settings = [line for line in lines if not line.lstrip().startswith(("#", ";"))]
        files["etc/pip.conf"] = _without_passwords(settings, str(_PIP_CONF))
    sources = apt_sources(suite, _output(*_TARGETS))
    if sources:
        files["etc/apt/sources.list"] = _without_passwords(sources.splitlines(), "the sources of apt")
    settings = [match.group() for match in _APT_SETTINGS.finditer(_output("apt-config", "dump"))]
    if settings:
        files["etc/apt/apt.conf.d/99machine"] = _without_passwords(settings, "the settings of apt")
    return files


def _without_passwords(lines: list[str], where: str) -> bytes:
    if any("@" in line for line in lines):  # user:password@host, with or without a scheme before it
        raise MachineError(
            f"{where} can't go into an image: an address there has a user or a password before an @",
            why="the stand-ins' Debian, and every image that is built on it, would hold it readably",
            out="for the build, write an address that needs none there, such as a proxy's that adds it",
        )
    return "\n".join([*lines, ""]).encode()


def apt_sources(suite: str, targets: str) -> str:
    """sources.list with those of this machine's sources (one a line: URI, code name, component) that are the suite's,
    its updates' or its security's; pure."""
    suites = (suite, f"{suite}-updates", f"{suite}-security")
    found = sorted({line for line in targets.splitlines() if len(line.split()) == 3 and line.split()[1] in suites})
    lines = [f"deb {line}" for line in found if line.split()[2] == "main"]
    # Without the suite itself, debootstrap's own choice is the better one.
    return "\n".join([*lines, ""]) if any(line.split()[2] == suite for line in lines) else ""


def mirror(suite: str, sources: str) -> str:
    """The mirror of the suite itself in a sources.list, or "" for debootstrap's own; pure."""
    return next((line.split()[1] for line in sources.splitlines() if line.split()[2] == suite), "")


def _check_machine() -> None:
    if shutil.which("debootstrap") is None:
        raise MachineError(
            "no debootstrap",
            why="the stand-ins' Debian is made with it",
            out="as root, on Debian or Ubuntu: apt-get update; apt-get install -y --no-install-recommends debootstrap",
        )
    if os.geteuid() != 0:
        raise MachineError(
            "only root can make the stand-ins' Debian",
            why="debootstrap changes into the new system's root",
            out="run it once with sudo -E; what it made stays in the cache, and needs no root again",
        )


def _debootstrap(suite: str, root: Path, what: str, report: Report | None) -> None:
    source = mirror(suite, apt_sources(suite, _output(*_TARGETS)))
    command = ["debootstrap", "--variant=minbase", suite, str(root), *([source] if source else [])]
    output: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                output.append(line.rstrip())
                if report is not None:
                    report(Step(what))
        except BaseException:
            # Its own trap unmounts what it mounted, and it must be gone before its folder is.
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        raise MachineError(
            f"debootstrap {suite} failed with exit code {process.returncode}",
            why="\n".join(output[-8:]),
            out="reach a Debian mirror (apt-get update must work here), then try again",
        )


def _kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if _LEFT_OUT.fullmatch(member.name.removeprefix("./")) else member


def _unmount(folder: Path) -> None:
    """What an interrupted debootstrap left mounted must not be deleted through."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)


def _readable(path: str | Path | None) -> bool:
    return path is not None and os.access(path, os.R_OK)


def _output(*command: str) -> str:
    """What the command prints, or "" where it isn't there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
