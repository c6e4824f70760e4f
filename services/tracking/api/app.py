"""The HTTP application: reads and health through FastAPI, the hot path beside it.

Must hold no state but what it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import structlog
from fastapi import FastAPI, Path, Query
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from pydantic import BeforeValidator
from starlette.exceptions import HTTPException

from services.bodies import MAX_TEXT
from services.identity import canonical
from services.storage.reading import Bounded, DatabaseError
from services.tracking.adapters.reading import CampaignCount, Reading, Wanted
from services.tracking.adapters.tables import InteractionRow
from services.tracking.api import batch, documents, ingest
from services.tracking.api.ingest import Accepts
from services.tracking.domain.interaction import TYPES
from services.web import cursors, errors, problems
from services.web.errors import response
from services.web.problems import Problem
from services.web.requests import Receive, Scope, Send, send_problem

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
WITHOUT_NUL = r"^[^\x00]*$"


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from None


# Pydantic alone takes numbers for days, and seconds, since 1970.
Day = Annotated[date, BeforeValidator(date.fromisoformat)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Text = Annotated[str, Query(min_length=1, max_length=MAX_TEXT, pattern=WITHOUT_NUL)]

# Where FastAPI does not see all methods.
ALLOWED = {ingest.PATH: "GET, POST", batch.PATH: "POST"}

BAD_CURSOR = problems.bad_parameter("cursor", "cursor", "must be one that a page gave")
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]

log = structlog.get_logger()


class Broker(Protocol):
    def trouble(self) -> str | None:
        """Why nothing is published now, None if it is."""
        ...


class Application:
    """The ASGI application: what accepts events directly, everything else through FastAPI."""

    def __init__(self, accepting: Accepts, broker: Broker, reading: Reading, outbox_max_rows: int) -> None:
        self._posts: dict[str, ingest.Ingest | batch.Batch] = {
            ingest.PATH: ingest.Ingest(accepting),
            batch.PATH: batch.Batch(accepting),
        }
        self.api = build(broker, reading, outbox_max_rows)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepts = self._posts.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if accepts is None:
            await self.api(scope, receive, send)
            return
        try:
            await accepts(scope, receive, send)
        except Exception:
            # The boundary: a caller gets a problem for our bugs, too.
            log.exception("unexpected")
            await send_problem(send, problems.internal())


def build(broker: Broker, reading: Reading, outbox_max_rows: int) -> FastAPI:
    """FastAPI's part."""
    api = FastAPI(
        title="AlpesPartners tracking",
        version="1",
        docs_url="/tracking/docs",
        openapi_url="/tracking/openapi.json",
    )
    errors.handle(api, DatabaseError, ALLOWED)
    _document(api)
    read = Bounded()

    @api.get("/tracking/health", responses=documents.HEALTH)
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    @api.get("/tracking/health/ready", responses=documents.READY)
    async def ready() -> Response:
        checks = {"pulsar": broker.trouble() or "ok"}
        try:
            rows = await read(reading.outbox_rows)
        except DatabaseError:
            checks |= {"database": "does not answer", "outbox": "unknown"}
        else:
            checks |= {"database": "ok", "outbox": "ok" if rows < outbox_max_rows else "full"}
        failing = {name: what for name, what in checks.items() if what != "ok"}
        if not failing:
            return JSONResponse({"status": "ready", "checks": checks})
        if "pulsar" not in failing or "outbox" not in failing:
            # Events are accepted durably: by the broker or, while that is away, by the outbox.
            return JSONResponse({"status": "degraded", "checks": checks})
        names = ", ".join(f"{name} {what}" for name, what in failing.items())
        return response(Problem(503, "not-ready", "Not ready", names, {"checks": checks}))

    @api.get("/tracking/interactions", responses=documents.NEWEST)
    async def newest(
        limit: Limit = DEFAULT_LIMIT,
        cursor: str | None = None,
        campaign_id: Text | None = None,
        interaction_type: Annotated[str | None, Query(json_schema_extra={"enum": sorted(TYPES)})] = None,
        first: Annotated[Moment | None, Query(alias="from")] = None,
        before: Annotated[Moment | None, Query(alias="to")] = None,
    ) -> Response:
        if interaction_type is not None and interaction_type not in TYPES:
            types = ", ".join(sorted(TYPES))
            return response(problems.bad_parameter("interaction_type", "choice", f"must be one of {types}"))
        after = None
        if cursor is not None:
            after = cursors.position(cursor)
            if after is None:
                return response(BAD_CURSOR)
        rows = await read(reading.newest, limit, after, Wanted(campaign_id, interaction_type, first, before))
        answer: dict[str, Any] = {"status": "success", "data": [_interaction(row) for row in rows]}
        answer["next_cursor"] = cursors.at(rows[-1].timestamp, rows[-1].id) if len(rows) == limit else None
        return JSONResponse(answer)

    @api.get(batch.PATH, include_in_schema=False)
    async def no_interaction() -> None:
        raise HTTPException(405)

    @api.get("/tracking/interactions/{interaction_id}", responses=documents.ONE)
    async def one(interaction_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})]) -> Response:
        found = canonical(interaction_id)
        if found is None:
            return response(Problem(400, "invalid-id", "Invalid interaction ID", "Invalid interaction ID"))
        row = await read(reading.one, UUID(found))
        if row is None:
            return response(Problem(404, "not-found", "Interaction not found", "Interaction not found"))
        return JSONResponse({"status": "success", "data": _interaction(row)})

    @api.get("/tracking/stats/daily", responses=documents.DAILY)
    async def daily(
        first: Annotated[Day | None, Query(alias="from")] = None,
        last: Annotated[Day | None, Query(alias="to")] = None,
    ) -> Response:
        rows = await read(reading.daily, first, last)
        return JSONResponse(
            {"items": [{"day": row.day.isoformat(), "status": row.status, "count": row.count} for row in rows]}
        )

    @api.get("/tracking/stats/campaigns", responses=documents.CAMPAIGNS)
    async def campaigns(
        limit: Limit = DEFAULT_LIMIT,
        cursor: str | None = None,
        campaign_id: Text | None = None,
        first: Annotated[Day | None, Query(alias="from")] = None,
        last: Annotated[Day | None, Query(alias="to")] = None,
    ) -> Response:
        after = None
        if cursor is not None:
            after = cursors.decoded(cursor)
            if not after or "\x00" in after:
                return response(BAD_CURSOR)
        counts = await read(reading.campaigns, limit, after, campaign_id, first, last)
        full = len({count.campaign_id for count in counts}) == limit
        answer = {"items": _campaigns(counts), "next_cursor": cursors.encoded(counts[-1].campaign_id) if full else None}
        return JSONResponse(answer)

    return api


def _campaigns(counts: Sequence[CampaignCount]) -> list[dict[str, Any]]:
    """One item a campaign and type; of conversions, with the sums by currency."""
    items: dict[tuple[str, str], dict[str, Any]] = {}
    for each in counts:
        key = (each.campaign_id, each.interaction_type)
        item = items.setdefault(key, {"campaign_id": key[0], "interaction_type": key[1], "count": 0, "amounts": {}})
        item["count"] += each.count
        if each.currency:
            item["amounts"][each.currency] = each.amount
    return list(items.values())


def _document(api: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            schema = get_openapi(title=api.title, version=api.version, routes=api.routes)
            api.openapi_schema = documents.complete(schema)
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]


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
