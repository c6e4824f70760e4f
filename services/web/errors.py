"""Every error of a FastAPI application as a problem."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from services.web import problems
from services.web.problems import Problem

log = structlog.get_logger()


def handle(api: FastAPI, database: tuple[type[Exception], ...], allowed: Mapping[str, str]) -> None:
    """`database` are the errors of a database that is away; `allowed` says the methods of paths where FastAPI does not
    see all of them."""

    @api.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return response(problems.bad_parameter(name, str(first["type"]), str(first["msg"])))

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        problem = Problem(error.status_code, "about:blank", str(error.detail), str(error.detail))
        answer = response(problem)
        answer.headers.update(error.headers or {})
        if error.status_code == 405 and request.url.path in allowed:
            answer.headers["allow"] = allowed[request.url.path]
        return answer

    async def database_away(_request: Request, error: Exception) -> Response:
        log.warning("the database does not answer", error=(str(error).splitlines() or [type(error).__name__])[0])
        return response(problems.database_away())

    for kind in database:
        api.add_exception_handler(kind, database_away)

    @api.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> Response:
        return response(problems.internal())


def response(problem: Problem) -> Response:
    return Response(problem.body(), problem.status, dict(problem.headers), problems.MEDIA_TYPE)
