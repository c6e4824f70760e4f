"""The HTTP application. Reads come from the database; writes become commands in the outbox, answered with 202.

Must hold no state but what it is given; must not say 202 before the command is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

import structlog
from fastapi import FastAPI, Path, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from services.affiliates.adapters.reading import Reading
from services.affiliates.adapters.tables import AffiliateRow, PostCostRow, PostRow
from services.affiliates.api import documents
from services.affiliates.domain.commands import (
    ACTIVE,
    SUSPENDED,
    CalculateCost,
    Command,
    CreatePost,
    SetStatus,
    calculation,
    create_affiliate,
    create_post,
)
from services.affiliates.messages import Outgoing, outgoing
from services.bodies import read
from services.errors import InDoubt, KeyReused, NothingAttempted, RuleBroken
from services.identity import canonical, derive_id
from services.storage.reading import Bounded, DatabaseError, Overdue, Position
from services.web import cursors, errors, problems
from services.web.errors import response
from services.web.openapi import tidy
from services.web.problems import Problem
from services.web.requests import Refused, correlation_of, idempotency_key, problem_of, read_body

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MAX_BODY = 512 * 1024
PREFIX = "/affiliates"
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Id = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
CommandId = Annotated[
    str | None,
    Query(json_schema_extra={"format": "uuid"}, description="A command's id: a 404 tells if that was refused."),
]
# What a body should have been, in problems.
COMMAND = "command"

log = structlog.get_logger()
Parsed = TypeVar("Parsed")


class Stores(Protocol):
    def store(self, message: Outgoing) -> None:
        """Return once the message is committed. Raises NothingAttempted, InDoubt or KeyReused."""
        ...


class Refusal(Exception):
    """The request ends with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def build(outbox: Stores, reading: Reading, commands_topic: str, broker_answers: Callable[[], bool]) -> FastAPI:
    """The application. `commands_topic` is the full name of the topic of commands to this service."""
    api = FastAPI(
        title="AlpesPartners affiliates",
        version="1",
        docs_url=f"{PREFIX}/docs",
        openapi_url=f"{PREFIX}/openapi.json",
    )
    errors.handle(api, DatabaseError, {})
    read_bounded, store_bounded = Bounded(), Bounded()

    @api.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> Response:
        return response(error.problem)

    async def accept(name: str, command: Command, command_id: str, request: Request, key: str, where: str) -> Response:
        correlation_id = correlation_of(dict(request.scope["headers"])) or command_id
        message = outgoing(name, command, command_id, correlation_id, commands_topic, key)
        try:
            await store_bounded(outbox.store, message)
        except (NothingAttempted, InDoubt, KeyReused, Overdue) as error:
            log.warning("command not accepted", command_id=command_id, name=name, error=str(error))
            raise Refusal(_not_accepted(error, command_id)) from error
        log.info("command accepted", command_id=command_id, name=name, correlation_id=correlation_id)
        return JSONResponse({"status": "accepted", "trackingId": command_id}, 202, {"location": where})

    @api.get(f"{PREFIX}/health", responses=documents.HEALTH)
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    @api.get(f"{PREFIX}/health/ready", responses=documents.READY)
    async def ready() -> Response:
        try:
            await read_bounded(reading.check)
        except DatabaseError:
            checks = {"pulsar": "unknown", "database": "does not answer"}
            return response(Problem(503, "not-ready", "Not ready", "database does not answer", {"checks": checks}))
        away = not await read_bounded(broker_answers)
        # Commands are accepted all the same: they wait in the outbox.
        checks = {"pulsar": "does not answer" if away else "ok", "database": "ok"}
        return JSONResponse({"status": "degraded" if away else "ready", "checks": checks})

    @api.get(f"{PREFIX}/", responses=documents.AFFILIATES)
    async def affiliates(request: Request, limit: Limit = DEFAULT_LIMIT, cursor: str | None = None) -> Response:
        rows = await read_bounded(reading.affiliates, limit, _after(cursor))
        return _page(request, [_affiliate(row) for row in rows], rows, limit)

    @api.post(f"{PREFIX}/", responses=documents.WITH_BODY, openapi_extra=documents.extra(documents.NEW_AFFILIATE))
    async def new_affiliate(request: Request) -> Response:
        command = await _parsed(request, create_affiliate)
        own = _command_id(request)
        return await accept("CreateAffiliate", command, own, request, own, f"{PREFIX}/{own}")

    @api.get(f"{PREFIX}/posts", responses=documents.POSTS)
    async def posts(
        request: Request,
        limit: Limit = DEFAULT_LIMIT,
        cursor: str | None = None,
        affiliate_id: Annotated[str | None, Query(json_schema_extra={"format": "uuid"})] = None,
    ) -> Response:
        of = None
        if affiliate_id is not None:
            found = canonical(affiliate_id)
            if found is None:
                raise Refusal(problems.bad_parameter("affiliate_id", "uuid", "must be a UUID"))
            of = UUID(found)
        rows = await read_bounded(reading.posts, limit, _after(cursor), of)
        return _page(request, [_post(row) for row in rows], rows, limit)

    @api.post(f"{PREFIX}/posts", responses=documents.WITH_BODY, openapi_extra=documents.extra(documents.NEW_POST))
    async def new_post(request: Request) -> Response:
        command: CreatePost = await _parsed(request, create_post)
        own = _command_id(request)
        return await accept("CreatePost", command, own, request, command.affiliate_id, f"{PREFIX}/posts/{own}")

    @api.get(f"{PREFIX}/posts/{{post_id}}", responses=documents.ONE_POST)
    async def one_post(post_id: Id) -> Response:
        return JSONResponse(_post(await found(reading.post, post_id, "post")))

    @api.get(f"{PREFIX}/posts/{{post_id}}/cost-calculations", responses=documents.COSTS)
    async def costs(request: Request, post_id: Id, limit: Limit = DEFAULT_LIMIT, cursor: str | None = None) -> Response:
        post = await found(reading.post, post_id, "post")
        rows = await read_bounded(reading.calculations, limit, _after(cursor), post.id)
        return _page(request, [_cost(row) for row in rows], rows, limit)

    @api.post(
        f"{PREFIX}/posts/{{post_id}}/cost-calculations",
        responses=documents.OF_A_POST,
        openapi_extra=documents.extra(documents.DAYS),
    )
    async def new_cost(request: Request, post_id: Id) -> Response:
        own, of = _command_id(request), _id(post_id)
        command: CalculateCost = await _parsed(request, lambda body: calculation(own, {**body, "post_id": str(of)}))
        try:
            post = await found(reading.post, post_id, "post")
        except DatabaseError as error:
            raise Refusal(problems.nothing_attempted(COMMAND, "the database does not answer")) from error
        where = f"{PREFIX}/posts/{of}/cost-calculations/{own}"
        return await accept("CalculateCost", command, own, request, str(post.affiliate_id), where)

    @api.get(f"{PREFIX}/posts/{{post_id}}/cost-calculations/{{calculation_id}}", responses=documents.ONE_COST)
    async def one_cost(post_id: Id, calculation_id: Id) -> Response:
        of = _id(post_id)
        row = await found(reading.calculation, calculation_id, "calculation")
        if row.post_id != of:
            raise Refusal(_not_found("calculation"))
        return JSONResponse(_cost(row))

    @api.get(f"{PREFIX}/stats", responses=documents.TOTALS)
    async def totals() -> Response:
        return JSONResponse({"items": await read_bounded(reading.totals)})

    @api.get(f"{PREFIX}/{{affiliate_id}}", responses=documents.ONE_AFFILIATE)
    async def one_affiliate(affiliate_id: Id, command: CommandId = None) -> Response:
        refusal = None if command is None else await read_bounded(reading.refusal, _id(command))
        if refusal is not None:
            raise Refusal(Problem(404, "refused", "Refused", f"the command was refused: {refusal}"))
        return JSONResponse(_affiliate(await found(reading.affiliate, affiliate_id, "affiliate")))

    def changes(word: str, name: str, status: str) -> None:
        @api.post(
            f"{PREFIX}/{{affiliate_id}}/{word}",
            name=word,
            responses=documents.ACCEPTED,
            openapi_extra=documents.extra(),
        )
        async def change(request: Request, affiliate_id: Id) -> Response:
            of = str(_id(affiliate_id))
            command = SetStatus(of, status)
            own = _command_id(request)
            return await accept(name, command, own, request, of, f"{PREFIX}/{of}?command={own}")

    changes("activate", "ActivateAffiliate", ACTIVE)
    changes("suspend", "SuspendAffiliate", SUSPENDED)

    async def found(query: Callable[[UUID], Any], text: str, what: str) -> Any:
        wanted = _id(text)
        row = await read_bounded(query, wanted)
        if row is None:
            refusal = await read_bounded(reading.refusal, wanted)
            raise Refusal(_not_found(what) if refusal is None else _was_refused(what, refusal))
        return row

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = tidy(get_openapi(title=api.title, version=api.version, routes=api.routes))
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]
    return api


async def _parsed(request: Request, parse: Callable[[Mapping[str, Any]], Parsed]) -> Parsed:
    """The command in a request's body. Raises Refusal."""
    try:
        return parse(read(await read_body(dict(request.scope["headers"]), request.receive, MAX_BODY)))
    except (Refused, RuleBroken) as error:
        raise Refusal(problem_of(error, COMMAND)) from error


def _command_id(request: Request) -> str:
    """The id of a request's command: from its caller's key, else new. Raises Refusal."""
    try:
        return derive_id(None, idempotency_key(dict(request.scope["headers"])), None)
    except RuleBroken as broken:
        raise Refusal(problem_of(broken, COMMAND)) from broken


def _id(text: str) -> UUID:
    found = canonical(text)
    if found is None:
        raise Refusal(Problem(400, "invalid-id", "Invalid id", "an id must be a UUID"))
    return UUID(found)


def _after(cursor: str | None) -> Position | None:
    after = None if cursor is None else cursors.position(cursor)
    if cursor is not None and after is None:
        raise Refusal(problems.bad_parameter("cursor", "cursor", "must be one that a page gave"))
    return after


def _not_accepted(error: Exception, command_id: str) -> Problem:
    own = {"trackingId": command_id}
    match error:
        case NothingAttempted():
            return problems.nothing_attempted(COMMAND, str(error))
        case KeyReused():
            return problems.key_reused(COMMAND, "a command with this Idempotency-Key", own)
        case _:
            return problems.in_doubt(COMMAND, str(error), "this trackingId as its Idempotency-Key", own)


def _not_found(what: str) -> Problem:
    return Problem(404, "not-found", f"No such {what}", f"there is no such {what}, or not yet")


def _was_refused(what: str, reason: str) -> Problem:
    return Problem(404, "refused", f"No such {what}", f"the command was refused: {reason}")


def _page(request: Request, items: list[dict[str, Any]], rows: Sequence[Any], limit: int) -> Response:
    headers = {}
    if len(rows) == limit:
        following = request.url.include_query_params(cursor=cursors.at(rows[-1].created_at, rows[-1].id))
        headers["link"] = f'<{following.path}?{following.query}>; rel="next"'
    return JSONResponse(items, headers=headers)


def _affiliate(row: AffiliateRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "email": row.email,
        "program_id": row.program_id,
        "status": row.status,
        "joined_at": _iso(row.joined_at),
        "updated_on": _iso(row.updated_on),
        "created_at": _iso(row.created_at),
    }


def _post(row: PostRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "title": row.title,
        "content": row.content,
        "affiliate_id": str(row.affiliate_id),
        "brand_id": row.brand_id,
        "created_at": _iso(row.created_at),
    }


def _cost(row: PostCostRow) -> dict[str, Any]:
    amounts = ("base_cost", "interaction_cost", "interaction_total_cost", "engagement_multiplier", "total_cost")
    return {
        "id": str(row.id),
        "post_id": str(row.post_id),
        "status": "waiting" if row.calculated_at is None else "calculated",
        "start_date": row.start_date.isoformat(),
        "end_date": row.end_date.isoformat(),
        "correlation_id": row.correlation_id,
        "interactions_count": row.interactions_count,
        **{name: None if getattr(row, name) is None else str(getattr(row, name)) for name in amounts},
        "created_at": _iso(row.created_at),
        "calculated_at": None if row.calculated_at is None else _iso(row.calculated_at),
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
