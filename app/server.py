"""Puts the routes together and serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import takewhile

import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Lifespan

from app import errors
from app.allowance import Allowance
from app.connection import TimedProtocol
from app.container import Container, running
from app.http import (
    boltcards,
    card_keys,
    exports,
    health,
    interventions,
    join,
    lnurl,
    payout_requests,
    payouts,
    pull_payments,
    rates,
    record_file,
    reset,
    set_up,
    sign_in,
    statistics,
    tokens,
    wallet,
    wallet_books,
)
from app.http.document import DescribedApi
from app.idempotency import Turns
from app.live import Boards
from app.page_door import PageDoor
from app.page_outbox import install_page_outbox
from app.pages.register import register_pages
from app.request import Edge
from app.screens import secure_screens
from app.socket_door import SocketDoor, guard_events, guard_origin
from app.tabs import Tabs
from app.till_door import TillDoor
from models.store import DatabaseKind

VERSION = "0.1.0"
KEEP_ALIVE_S = 5
SHUTDOWN_S = 3
RECONNECT_S = 30.0
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
GZIP_LEVEL = 5
FAVICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' "
    "rx='9' fill='#f2a900'/><path d='M18 5 8 18h7l-1 9 10-13h-7z' fill='#11151c'/></svg>"
)


def build_app(container: Container) -> FastAPI:
    """Return the application of a container; its lifespan runs the background loops."""
    boards, tabs = Boards(container.hub), Tabs(container)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with running(container):
            container.supervisor.start("tabs", tabs.run)
            yield
            boards.close()

    app = build_api(container, lifespan)
    register_pages(container, boards)
    # NiceGUI takes every path that is left, so it comes last.
    ui.run_with(
        app,
        title="Flash Payouts",
        favicon=FAVICON,
        dark=None,
        language="en-US",
        # Nothing here is written in its classes, and it reads every element that comes and goes.
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_S,
        gzip_middleware_factory=lambda inner: GZipMiddleware(inner, compresslevel=GZIP_LEVEL),
        show_welcome_message=False,
    )
    guard_origin(container)
    guard_events(tabs)
    secure_screens()
    install_page_outbox()
    app.add_middleware(PageDoor, container=container)
    app.add_middleware(SocketDoor, container=container, tabs=tabs)
    return app


def build_api(container: Container, lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Return what serves programs, wallets and tills: all routes but the screens'."""
    app = DescribedApi(
        title="Flash Payouts",
        version=VERSION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.container = container
    app.state.turns = Turns()
    app.state.allowance = Allowance()
    errors.install(app)
    app.router.routes.extend(lnurl.routes())
    app.router.routes.extend(card_keys.routes())
    for plain in (sign_in, set_up, join, reset):
        app.router.routes.extend(plain.routes())
    app.include_router(health.router)
    # `/boltcards/top` must be known before `/boltcards/{id}`, `/payouts/export` likewise.
    engine = (payout_requests, interventions, rates, wallet_books)
    for module in (statistics, exports, *engine, payouts, pull_payments, boltcards, wallet):
        app.include_router(module.router, prefix="/v1")
    app.include_router(tokens.router, prefix="/v1")
    app.include_router(exports.downloads)
    app.include_router(record_file.downloads)
    app.router.routes.append(Route("/v1/{rest:path}", _nothing_here, methods=list(_METHODS)))
    return app


async def _nothing_here(request: Request) -> Response:
    """Answer as the API does, before the screens would take the path for one of theirs."""
    routes = list(takewhile(_is_something, request.app.router.routes))
    if not any(route.matches(request.scope)[0] is Match.PARTIAL for route in routes):
        raise HTTPException(404)
    asked = [(method, {**request.scope, "method": method}) for method in _METHODS]
    taken = [
        method
        for method, scope in asked
        if any(route.matches(scope)[0] is Match.FULL for route in routes)
    ]
    raise HTTPException(405, headers={"Allow": ", ".join(taken)})


def _is_something(route: BaseRoute) -> bool:
    return getattr(route, "endpoint", None) is not _nothing_here


def wrapped(app: FastAPI, container: Container) -> ASGIApp:
    """Return the application inside its outermost layer."""
    return Edge(
        TillDoor(app),
        loopback_only=container.kind is DatabaseKind.DEMO,
        is_secure=container.settings.base_url.startswith("https://"),
        allowance=app.state.allowance,
    )


def server_of(app: ASGIApp, container: Container) -> uvicorn.Server:
    """Return the web server; its own access log is off, because queries hold secrets."""
    settings = container.settings
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        http=TimedProtocol,
        # What a live page is sent is a few hundred bytes; packing it takes a quarter of a megabyte
        # for each page, and more of the loop than sending it.
        ws_per_message_deflate=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies) or None,
        limit_concurrency=2000,
    )
    return uvicorn.Server(config)
