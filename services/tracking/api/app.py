"""The HTTP application: reads and health through FastAPI, the hot path beside it.

Must hold no state but what it is given.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import structlog
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from services.tracking.adapters.reading import Bounded, DatabaseError, Position, Reading
from services.tracking.adapters.tables import InteractionRow
from services.tracking.api import problems
from services.tracking.api.documents import OPENAPI_POST
from services.tracking.api.ingest import PATH, Ingest, Publishes, Receive, Scope, Send
from services.tracking.api.problems import Problem
from services.tracking.domain.identity import canonical

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000

log = structlog.get_logger()


class Connected(Publishes, Protocol):
    """A publisher that knows whether it is connected."""

    def is_connected(self) -> bool: ...


class Application:
    """The ASGI application: the hot path directly, everything else through FastAPI."""

    def __init__(self, publisher: Connected, reading: Reading) -> None:
        self._ingest = Ingest(publisher)
        self.api = build(publisher, reading)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == PATH:
            await self._ingest(scope, receive, send)
        else:
            await self.api(scope, receive, send)


def build(publisher: Connected, reading: Reading) -> FastAPI:
    """FastAPI's part."""
    api = FastAPI(
        title="AlpesPartners tracking",
        version="1",
        docs_url="/tracking/docs",
        openapi_url="/tracking/openapi.json",
    )
    _errors(api)
    _document(api)
    read = Bounded()

    @api.get("/tracking/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    @api.get("/tracking/health/ready")
    async def ready() -> Response:
        failing = {}
        if not publisher.is_connected():
            failing["pulsar"] = "not connected"
        try:
            await read(reading.ping)
        except DatabaseError:
            failing["database"] = "does not answer"
        if not failing:
            return JSONResponse({"status": "ready", "checks": {"pulsar": "ok", "database": "ok"}})
        names = ", ".join(f"{name} {what}" for name, what in failing.items())
        checks = {name: failing.get(name, "ok") for name in ("pulsar", "database")}
        return _response(Problem(503, "not-ready", "Not ready", names, {"checks": checks}))

    @api.get("/tracking/interactions")
    async def newest(
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Response:
        after = None
        if cursor is not None:
            after = _position(cursor)
            if after is None:
                return _response(problems.bad_parameter("cursor", "cursor", "must be one that a page gave"))
        rows = await read(reading.newest, limit, after)
        answer: dict[str, Any] = {"status": "success", "data": [_interaction(row) for row in rows]}
        answer["next_cursor"] = _cursor(rows[-1]) if len(rows) == limit else None
        return JSONResponse(answer)

    @api.get("/tracking/interactions/{interaction_id}")
    async def one(interaction_id: str) -> Response:
        found = canonical(interaction_id)
        if found is None:
            return _response(Problem(400, "invalid-id", "Invalid interaction ID", "Invalid interaction ID"))
        row = await read(reading.one, UUID(found))
        if row is None:
            return _response(Problem(404, "not-found", "Interaction not found", "Interaction not found"))
        return JSONResponse({"status": "success", "data": _interaction(row)})

    @api.get("/tracking/stats/daily")
    async def daily(
        first: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
    ) -> Response:
        rows = await read(reading.daily, first, last)
        return JSONResponse(
            {"items": [{"day": row.day.isoformat(), "status": row.status, "count": row.count} for row in rows]}
        )

    return api


def _errors(api: FastAPI) -> None:
    @api.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return _response(problems.bad_parameter(name, str(first["type"]), str(first["msg"])))

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        problem = Problem(error.status_code, "about:blank", str(error.detail), str(error.detail))
        response = _response(problem)
        response.headers.update(error.headers or {})
        if error.status_code == 405 and request.url.path == PATH:
            response.headers["allow"] = "GET, POST"  # FastAPI does not see the hot path
        return response

    async def database(_request: Request, error: Exception) -> Response:
        log.warning("the database does not answer", error=(str(error).splitlines() or [type(error).__name__])[0])
        return _response(problems.database_away())

    for kind in DatabaseError:
        api.add_exception_handler(kind, database)

    @api.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> Response:
        return _response(problems.internal())


def _document(api: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            schema = get_openapi(title=api.title, version=api.version, routes=api.routes)
            schema["paths"].setdefault(PATH, {})["post"] = OPENAPI_POST
            api.openapi_schema = schema
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]


def _response(problem: Problem) -> Response:
    return Response(problem.body(), problem.status, dict(problem.headers), problems.MEDIA_TYPE)


def _interaction(row: InteractionRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "interaction_type": row.interaction_type,
        "target_element_id": row.target_element_id,
        "target_element_type": row.target_element_type,
        "campaign_id": row.campaign_id,
        "timestamp": _iso(row.timestamp),
        "amount": row.amount,
        "currency": row.currency,
        "created_at": _iso(row.created_at),
        "updated_on": _iso(row.updated_on),
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _cursor(row: InteractionRow) -> str:
    return base64.urlsafe_b64encode(f"{_iso(row.timestamp)}|{row.id}".encode()).decode().rstrip("=")


def _position(cursor: str) -> Position | None:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        time, _, event_id = text.partition("|")
        moment = datetime.fromisoformat(time)
        return (moment, UUID(event_id)) if moment.tzinfo is not None else None
    except (ValueError, binascii.Error):
        return None
