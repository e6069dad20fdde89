"""`python -m tests.load.served`: the product's own server with one route that is constant.

What that route reaches is what the web server, its outermost layer and the router cost; the rest
of a request's time is the product's.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import commands, server
from app.answers import json_answer
from app.container import Container
from tests.load.wire import CONSTANT

_build = server.build_app


async def _constant(_request: Request) -> Response:
    return json_answer({"status": "OK"})


def _with_constant(container: Container, *args: Any, **kwargs: Any) -> FastAPI:
    app = _build(container, *args, **kwargs)
    app.router.routes.insert(0, Route(CONSTANT, _constant, methods=["GET"]))
    return app


def main() -> None:
    """Serve as `flash-payouts serve` does, with the loop that it takes."""
    server.build_app = _with_constant
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(commands.serve())


if __name__ == "__main__":
    main()
