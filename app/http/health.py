"""Is it up, is it ready, and the figures for Prometheus; these tell nothing of any store."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from app.answers import json_answer
from app.auth import container_of
from app.metrics import render
from models.errors import UnavailableError
from models.migrations import run as migrations
from services.storage.health import touch_revision

WRITE_WITHIN_S = 3.0
router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Say whether work can be done: the database takes writes, and no loop stays down."""
    services = container_of(request)
    answer: dict[str, Any] = {"ready": False, "database": False, "schema": False}
    try:
        revision = await services.database.write_within(WRITE_WITHIN_S, touch_revision)
    except UnavailableError:
        return json_answer(answer | {"reasons": ["the database cannot be written"]}, 503)
    down = services.supervisor.down()
    schema = revision == migrations.head()
    reasons = [] if schema else [f"the database has schema {revision}, not {migrations.head()}"]
    # A loop's first word says what it does; the rest may name a store.
    reasons += sorted({f"the loop {name.partition(' ')[0]} stays down" for name in down})
    answer |= {"ready": not reasons, "database": True, "schema": schema, "loops_down": len(down)}
    return json_answer(answer | {"reasons": reasons}, 503 if reasons else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the figures in Prometheus' text format."""
    services = container_of(request)
    if not services.settings.metrics:
        return PlainTextResponse("metrics are switched off\n", 404)
    return Response(await render(services), media_type=CONTENT_TYPE_LATEST)
