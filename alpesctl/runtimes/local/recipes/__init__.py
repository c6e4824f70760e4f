"""The recipes by name: how the local runtime runs what a container image would have held."""

from __future__ import annotations

from alpesctl.errors import ComposeError
from alpesctl.runtimes.local.recipes.base import Recipe


def recipe(name: str) -> Recipe:
    """The recipe that a service's `x-alpes.recipe` names; "" is the one that runs its own command."""
    from alpesctl.runtimes.local.recipes.nginx import Nginx
    from alpesctl.runtimes.local.recipes.own_command import OwnCommand
    from alpesctl.runtimes.local.recipes.postgres import Postgres
    from alpesctl.runtimes.local.recipes.pulsar import Pulsar

    known: dict[str, Recipe] = {
        "": OwnCommand(),
        "postgres": Postgres(),
        "pulsar": Pulsar(),
        "nginx": Nginx(),
    }
    if name not in known:
        raise ComposeError(
            f"there is no recipe {name!r}",
            out=f"x-alpes.recipe is one of {', '.join(sorted(filter(None, known)))}",
        )
    return known[name]
