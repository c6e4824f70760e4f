"""compose.yaml → Spec, strictly: what is not understood is an error with its path, never ignored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alpesctl.errors import ComposeError
from alpesctl.stack import containers, files, keys, values
from alpesctl.stack.extension import load_addresses, load_listen, load_pulsar, load_sources, load_stats
from alpesctl.stack.interpolate import interpolate
from alpesctl.stack.model import Dependency, HealthCheck, Network, Service, Spec, Volume
from alpesctl.stack.stand_ins import env_file as stand_ins_env_file
from alpesctl.stack.stand_ins import load_stand_ins

_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
_RESTARTS = ("no", "unless-stopped", "always", "on-failure")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")


def load(
    *,
    start: Path,
    environment: Mapping[str, str],
    file: Path | None = None,
    project_name: str | None = None,
    env_file: Path | None = None,
    stand_ins: bool | Callable[[str], bool] = False,
) -> Spec:
    """Read the stack that `start` belongs to.

    `environment` goes before the .env file; between them, where `stand_ins`, go the variables by which the
    stack uses its stand-ins. A callable is asked with the project's name, if the stack declares any.
    Raises ComposeError with a path and a way out.
    """
    try:
        return _load(start, environment, file, project_name, env_file, stand_ins)
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        # A value of a type that Compose doesn't have there; keys and texts are named before.
        raise ComposeError(
            "the compose file can't be understood",
            why=f"{type(error).__name__}: {error}",
            out="look for a list where a mapping belongs, or text where a number does",
        ) from error


def _load(
    start: Path,
    environment: Mapping[str, str],
    file: Path | None,
    project_name: str | None,
    env_file: Path | None,
    stand_ins: bool | Callable[[str], bool],
) -> Spec:
    main = file.resolve() if file is not None else files.find(start.resolve())
    directory = main.parent
    default_env = directory / ".env"
    chosen_env = env_file.resolve() if env_file is not None else default_env if default_env.is_file() else None
    from_files = files.variables(chosen_env, out="correct --env-file") if chosen_env else {}
    raw = _documents(main, directory, {**from_files, **environment})
    declared = _merge(raw)["x-alpes"].get("stand_ins")
    if callable(stand_ins) and declared is not None:
        named = interpolate({"name": raw[0][0].get("name")}, {**from_files, **environment})
        stand_ins = stand_ins(_project_name(project_name, {**from_files, **environment}, named, directory))
    if stand_ins is True:
        path = stand_ins_env_file(declared, directory, {**from_files, **environment})
        from_files |= files.variables(path, out="correct x-alpes.stand_ins.env_file")
    variables = {**from_files, **environment}
    documents = [(interpolate(document, variables), folder, path) for document, folder, path in raw]
    merged = _merge(documents)
    volumes = tuple(merged["volumes"])
    networks = tuple(merged["networks"]) or ("default",)
    project = _project_name(project_name, variables, documents[0][0], directory)
    services = {
        name: _service(project, name, raw, folder, variables, volumes, networks)
        for name, (raw, folder) in merged["services"].items()
    }
    if not services:
        raise ComposeError(f"{main}: no services", out="add at least one under services:")
    _check_dependencies(services)
    completed = {
        dependency.service
        for service in services.values()
        for dependency in service.depends_on
        if dependency.condition == "service_completed_successfully"
    }
    services = {name: replace(service, one_shot=name in completed) for name, service in services.items()}
    extension = merged["x-alpes"]
    pulsar = load_pulsar(extension.get("pulsar"), services)
    return Spec(
        project=project,
        directory=directory,
        files=tuple(path for _, _, path in documents),
        services=services,
        networks={key: _network(raw) for key, raw in merged["networks"].items()},
        volumes={
            key: Volume(str(raw.get("name", "")), str(raw.get("driver", "local")))
            for key, raw in merged["volumes"].items()
        },
        pulsar=pulsar,
        stats=load_stats(extension.get("stats")),
        addresses=load_addresses(extension.get("addresses")),
        stand_ins=load_stand_ins(extension.get("stand_ins"), directory),
        memory=containers.memory(extension["memory"], "x-alpes.memory") if "memory" in extension else None,
    )


_Document = tuple[Mapping[str, Any], Path, Path]


def _documents(path: Path, directory: Path, variables: Mapping[str, str]) -> list[_Document]:
    """The document and those it includes; but for what they include, before interpolation."""
    document = keys.check(files.read(path) or {}, keys.TOP, "")
    found: list[_Document] = [(document, directory, path)]
    includes = interpolate(document.get("include") or [], variables, "include")
    if not isinstance(includes, list):
        raise ComposeError(f"include: a list is expected, not {includes!r}")
    for index, entry in enumerate(includes):
        where = f"include[{index}]"
        item = {"path": entry} if isinstance(entry, str) else keys.check(entry, keys.INCLUDE, where)
        if "path" not in item:
            raise ComposeError(f"{where}: path is missing")
        included = (directory / str(item["path"])).resolve()
        folder = (directory / str(item.get("project_directory", included.parent))).resolve()
        found += _documents(included, folder, variables)
    return found


def _merge(documents: list[_Document]) -> dict[str, Any]:
    merged: dict[str, Any] = {"services": {}, "networks": {}, "volumes": {}, "x-alpes": {}}
    for document, folder, path in documents:
        for name, raw in keys.check(document.get("services") or {}, _any(document, "services"), "services").items():
            if name in merged["services"]:
                raise ComposeError(f"services.{name}: declared twice (again in {path})")
            merged["services"][name] = (raw, folder)
        for kind, allowed in (("networks", keys.NETWORK), ("volumes", keys.VOLUME)):
            for name, raw in (document.get(kind) or {}).items():
                keys.check(raw or {}, allowed, f"{kind}.{name}")
                merged[kind][name] = raw or {}
        extension = document.get("x-alpes")
        if extension is not None:
            merged["x-alpes"].update(keys.check(extension, keys.X_TOP, "x-alpes", extensions=False))
    return merged


def _any(document: Mapping[str, Any], key: str) -> keys.Keys:
    section = document.get(key)
    return keys.Keys(frozenset(section) if isinstance(section, dict) else frozenset())


def _service(
    project: str,
    name: str,
    raw: Any,
    directory: Path,
    variables: Mapping[str, str],
    volumes: tuple[str, ...],
    networks: tuple[str, ...],
) -> Service:
    path = f"services.{name}"
    body = keys.check(raw, keys.SERVICE, path)
    extension = keys.check(body.get("x-alpes") or {}, keys.X_SERVICE, f"{path}.x-alpes", extensions=False)
    ports = values.ports(body.get("ports") or [], f"{path}.ports")
    mounts = tuple(
        values.mount(m, directory, volumes, f"{path}.volumes[{i}]") for i, m in enumerate(body.get("volumes") or [])
    )
    restart = str(body.get("restart", "no"))
    if restart.split(":")[0] not in _RESTARTS:
        raise ComposeError(f"{path}.restart: {restart!r}", out=f"one of {', '.join(_RESTARTS)}")
    deploy = keys.check(body.get("deploy") or {}, keys.DEPLOY, f"{path}.deploy")
    build = containers.build(body.get("build"), directory, variables, f"{path}.build")
    image = values.text(body.get("image"), f"{path}.image")
    if not image and build is None:
        raise ComposeError(f"{path}: neither image nor build", out="name an image, or how to build one")
    health, health_disabled = _health(body.get("healthcheck"), f"{path}.healthcheck")
    stop_signal = body.get("stop_signal")
    return Service(
        name=name,
        image=image or f"{project}-{name}",
        command=values.command(body.get("command"), f"{path}.command"),
        environment=values.environment(body.get("environment"), variables, f"{path}.environment"),
        ports=ports,
        mounts=mounts,
        networks=_names(body.get("networks"), networks, f"{path}.networks") or ("default",),
        depends_on=_depends_on(body.get("depends_on"), f"{path}.depends_on"),
        replicas=_replicas(body, deploy, path),
        health=health,
        health_disabled=health_disabled,
        restart=restart,
        stop_signal="" if stop_signal is None else values.scalar(stop_signal, f"{path}.stop_signal"),
        stop_grace=values.duration(body.get("stop_grace_period", "10s"), f"{path}.stop_grace_period"),
        build=build,
        user=values.text(body.get("user"), f"{path}.user"),
        working_dir=values.text(body.get("working_dir"), f"{path}.working_dir"),
        entrypoint=containers.entrypoint(body.get("entrypoint"), f"{path}.entrypoint"),
        init=values.flag(body.get("init"), f"{path}.init"),
        labels=containers.labels(body.get("labels"), f"{path}.labels"),
        limits=containers.limits(body, deploy, path),
        hardening=containers.hardening(body, path),
        recipe=str(extension.get("recipe", "")),
        listen=load_listen(extension.get("listen"), ports, f"{path}.x-alpes.listen"),
        sources=load_sources(extension.get("sources"), directory, f"{path}.x-alpes.sources"),
        external={int(k): int(v) for k, v in (extension.get("external") or {}).items()},
    )


def _network(raw: Mapping[str, Any]) -> Network:
    return Network(str(raw.get("name", "")), str(raw.get("driver", "bridge")), raw.get("internal") is True)


def _names(value: Any, declared: tuple[str, ...], path: str) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list | dict) else ()
    for name, options in value.items() if isinstance(value, dict) else ():
        keys.check(options or {}, keys.ATTACHMENT, f"{path}.{name}")
    for name in names:
        if name not in declared:
            raise ComposeError(f"{path}: {name!r} is not declared", out=f"add it under {path.split('.')[-1]}:")
    return names


def _replicas(body: Mapping[str, Any], deploy: Mapping[str, Any], path: str) -> int:
    value = deploy.get("replicas", body.get("scale", 1))
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = -1
    if not 0 <= count <= 100:
        raise ComposeError(f"{path}.deploy.replicas: {value!r}", out="a whole number from 0 to 100")
    return count


def _depends_on(value: Any, path: str) -> tuple[Dependency, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(Dependency(str(name), "service_started") for name in value)
    if not isinstance(value, dict):
        raise ComposeError(f"{path}: a list of services or a mapping with conditions, not {value!r}")
    found = []
    for name, raw in value.items():
        body = keys.check(raw or {}, keys.DEPENDS_ON, f"{path}.{name}")
        condition = str(body.get("condition", "service_started"))
        if condition not in _CONDITIONS:
            raise ComposeError(f"{path}.{name}.condition: {condition!r}", out=f"one of {', '.join(_CONDITIONS)}")
        found.append(Dependency(str(name), condition))
    return tuple(found)


def _health(value: Any, path: str) -> tuple[HealthCheck | None, bool]:
    """The check, and whether the image's own is switched off."""
    if value is None:
        return None, False
    body = keys.check(value, keys.HEALTHCHECK, path)
    test = body.get("test")
    words: tuple[str, ...]
    if values.flag(body.get("disable"), f"{path}.disable") or test == ["NONE"]:
        return None, True
    if isinstance(test, str):
        words, shell = (test,), True
    elif isinstance(test, list) and test and test[0] in ("CMD", "CMD-SHELL"):
        words, shell = tuple(str(word) for word in test[1:]), test[0] == "CMD-SHELL"
    else:
        raise ComposeError(f"{path}.test: {test!r}", out="write [CMD, program, argument] or one line of shell")
    retries = body.get("retries", 3)
    check = HealthCheck(
        test=words,
        shell=shell,
        interval=values.duration(body.get("interval", "30s"), f"{path}.interval"),
        timeout=values.duration(body.get("timeout", "30s"), f"{path}.timeout"),
        retries=int(retries),
        start_period=values.duration(body.get("start_period", "0s"), f"{path}.start_period"),
    )
    return check, False


def _check_dependencies(services: Mapping[str, Service]) -> None:
    state: dict[str, int] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if state.get(name) == 2:
            return
        if state.get(name) == 1:
            raise ComposeError(f"services.{name}.depends_on: a circle: {' → '.join((*trail, name))}")
        state[name] = 1
        for dependency in services[name].depends_on:
            if dependency.service not in services:
                raise ComposeError(f"services.{name}.depends_on: there is no service {dependency.service!r}")
            visit(dependency.service, (*trail, name))
        state[name] = 2

    for name in services:
        visit(name, ())


def _project_name(flag: str | None, variables: Mapping[str, str], document: Mapping[str, Any], directory: Path) -> str:
    fallback = re.sub(r"[^a-z0-9_-]", "", directory.name.lower()).lstrip("_-") or "default"
    name = flag or variables.get("COMPOSE_PROJECT_NAME") or document.get("name") or fallback
    if not isinstance(name, str) or not _PROJECT.fullmatch(name):
        raise ComposeError(
            f"{name!r} is no project name",
            why="lower-case letters, digits, - and _ are allowed, the first a letter or digit",
            out="correct --project-name, COMPOSE_PROJECT_NAME or name:",
        )
    return name
