"""A server that speaks as Flash does and does not say that it is a sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web

_MARK = "Flash-Sandbox"
_HOP = {"content-length", "transfer-encoding", "connection", _MARK.lower()}


@asynccontextmanager
async def disguised(api_url: str) -> AsyncIterator[str]:
    """Put a door before a sandbox that takes its mark off every answer; yields the address."""
    async with ClientSession() as session:

        async def forward(request: web.Request) -> web.Response:
            headers = {n: v for n, v in request.headers.items() if n.lower() not in _HOP | {"host"}}
            body = await request.read()
            async with session.post(api_url, data=body, headers=headers) as answer:
                shown = {n: v for n, v in answer.headers.items() if n.lower() not in _HOP}
                return web.Response(body=await answer.read(), status=answer.status, headers=shown)

        app = web.Application()
        app.router.add_post("/graphql", forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}/graphql"
        finally:
            await runner.cleanup()
