"""Is it up, is it ready, and the figures for Prometheus, which tell of stores by their ids.

Figures are for whoever runs this: a proxy that hands on everything must not show them to everybody.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

from app.allowance import host_name, is_handed_on
from app.answers import json_answer
from app.auth import container_of
from app.metrics import render
from app.settings import is_loopback
from models.errors import UnavailableError
from models.migrations import run as migrations
from services.storage.health import touch_revision

WRITE_WITHIN_S = 3.0
_FOR_WHOM = "metrics are for this machine and its private network, past no proxy\n"
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
    if not _is_near(request, services.settings.public_url):
        return PlainTextResponse(_FOR_WHOM, 403)
    return Response(await render(services), media_type=CONTENT_TYPE_LATEST)


def _is_near(request: Request, public_url: str) -> bool:
    """Tell whether somebody asks from here or nearby, and not through a proxy."""
    name, public_name = host_name(request.scope).strip("[]"), urlsplit(public_url).hostname
    is_public = name == public_name and not is_loopback(name)
    if is_public or is_handed_on(request.scope):
        return False
    return request.client is not None and ip_address(request.client.host).is_private
