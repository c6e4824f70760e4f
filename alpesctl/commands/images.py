"""`alpesctl images list|pull|build`: the images of the stack, and stand-ins for those that can't be pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alpesctl.commands.options import DryRun, Json
from alpesctl.context import Context, context_of
from alpesctl.errors import UsageError
from alpesctl.result import Result, Table, plain

if TYPE_CHECKING:
    from alpesctl.project import Project
    from alpesctl.runtimes.docker.library import ImageLibrary
    from alpesctl.stack.model import Spec


def list_(ctx: typer.Context, json: Json = False) -> Result:
    """Show each image of the stack: whether it is there, how big, who uses it."""
    project = context_of(ctx).project
    return _listed("images list", _library(project, project.spec))


def pull(ctx: typer.Context, dry_run: DryRun = False, json: Json = False) -> Result:
    """Pull every image that isn't built here."""
    context = context_of(ctx)
    project = context.project
    library = _library(project, project.load(stand_ins=False))
    if dry_run:
        return _would("images pull", [f"pull {image.name}" for image in library.all() if image.origin == "pulled"])
    with context.progress("images pull") as progress:
        library.pull(progress.step)
    return _listed("images pull", library)


def build(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Stand-ins that are there are built anew too.")] = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> Result:
    """Build stand-ins for every image, for a machine that can't pull; `up --stand-ins` uses them."""
    context = context_of(ctx)
    project = context.project
    spec = project.load(stand_ins=True)
    library = _library(project, spec)
    if dry_run:
        made = [image for image in library.all() if image.origin != "pulled"]
        return _would(
            "images build",
            [
                f"build {image.name}: {'a stand-in' if image.origin == 'stand-in' else 'the compose file says how'}"
                for image in made
            ],
        )
    with context.progress("images build") as progress:
        library.build_stand_ins(progress.step, force=force)
        library.build(progress.step)
    listed = _listed("images build", library)
    env_file = spec.stand_ins.env_file if spec.stand_ins else ""
    return Result(
        listed.command,
        listed.data,
        tables=listed.tables,
        notes=[
            "alpesctl up --stand-ins uses them, from now on",
            f"docker compose --env-file .env --env-file {env_file} up does too",
        ],
    )


def use_stand_ins(context: Context, wanted: bool) -> None:
    """Switch stand-ins on, building those that aren't there, or off. Kept for later commands."""
    project = context.project
    if wanted and not project.runtime.uses_images:
        raise UsageError("stand-ins are images, and local processes need none", out="alpesctl --runtime docker up")
    if wanted:
        with project.locks.whole(), context.progress("images") as progress:
            _library(project, project.load(stand_ins=True)).build_stand_ins(progress.step)
    project.use_stand_ins(wanted)


def _library(project: Project, spec: Spec) -> ImageLibrary:
    from alpesctl.runtimes.docker.library import ImageLibrary

    return ImageLibrary(spec, project.cache_dir)


def _would(command: str, operations: list[str]) -> Result:
    return Result(command, {"operations": operations}, lines=operations or ["nothing to do"])


def _listed(command: str, library: ImageLibrary) -> Result:
    found = library.all()
    rows = [
        [
            image.name,
            image.origin,
            "not there" if image.id is None else image.id.removeprefix("sha256:")[:12],
            f"{image.size_bytes / 1e6:.0f} MB" if image.size_bytes is not None else "",
            ", ".join(image.services),
        ]
        for image in found
    ]
    table = Table("Images", ["image", "origin", "id", "size", "services"], rows)
    return Result(command, {"images": [plain(image) for image in found]}, tables=[table])
