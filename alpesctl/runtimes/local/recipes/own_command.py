"""A service that is its own program: runs its `command` with its `environment`."""

from __future__ import annotations

from pathlib import Path

from alpesctl.errors import ComposeError
from alpesctl.runtimes.base import REPLICA_VARIABLE
from alpesctl.runtimes.local import translate
from alpesctl.runtimes.local.recipes.base import Context, Launch, health_command, python_first
from alpesctl.runtimes.local.state import ProjectState
from alpesctl.runtimes.loopback import LOOPBACK
from alpesctl.stack.model import Service


class OwnCommand:
    """The recipe of every service that names none."""

    def check(self, service: Service) -> None:
        """There must be a command, and variables by which it learns where to listen if others are to find it."""
        where = f"services.{service.name}"
        if not service.command:
            raise ComposeError(
                f"{where}: no command",
                why="the local runtime has no image to take one from",
                out="add a command, or x-alpes: {recipe: …}",
            )
        if service.listen is None and service.ports:
            raise ComposeError(
                f"{where}: publishes a port, but not which variables say where to listen",
                out="add x-alpes: {listen: {host: HOST, port: PORT}}",
            )

    def prepare(self, state: ProjectState, cache: Path, java_home: Path | None) -> None:
        """Nothing to fetch."""

    def launch(self, context: Context) -> Launch:
        """The command, from the project's folder. Host and port go into the variables of `x-alpes.listen`."""
        service = context.service
        self.check(service)
        variables = context.translated_environment()
        ports: dict[int, int] = {}
        if service.listen is not None:
            port = context.port(service.listen.container_port)
            ports[service.listen.container_port] = port
            variables |= {service.listen.host_variable: LOOPBACK, service.listen.port_variable: str(port)}
        environment = {
            **context.base_environment(),
            "PYTHONPATH": str(context.spec.directory),
            "PYTHONUNBUFFERED": "1",
            REPLICA_VARIABLE: f"{service.name}-{context.number}",
            **variables,
        }
        argv = [
            translate.hosts(word, context.spec.services, context.port_of, where=f"{context.where}.command")
            for word in service.command
        ]
        return Launch(
            argv=python_first(argv),
            environment=environment,
            cwd=context.spec.directory,
            ports=ports,
            health_command=health_command(context, ports),
        )
