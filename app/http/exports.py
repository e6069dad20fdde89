"""Exports over HTTP: for programs under the base, and for the browser of whoever has a ticket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from app.auth import Exporter, Services
from app.http.filters import FilterQuery, read_filter
from app.sessions import caller_of_page
from models.errors import ExportCancelled, Unauthenticated
from models.export import ExportFormat, ExportOrder
from models.permission import Permission
from services.exports import Export

_log = structlog.get_logger(__name__)

router = APIRouter(tags=["payouts"])
downloads = APIRouter(include_in_schema=False)
# A reader that takes nothing for so long would keep others from exporting.
STALL_S = 60.0


class ExportQuery(FilterQuery):
    """The filter of the list, and the form of the file."""

    format: ExportFormat
    bom: bool = False


class Download(StreamingResponse):
    """Sends an export; its head waits for the first bytes, so a failure before is an answer."""

    def __init__(
        self, export: Export, *, is_prepared: bool = False, stall_s: float = STALL_S
    ) -> None:
        self._export = export
        self._stall_s = stall_s
        self._is_prepared = is_prepared
        super().__init__(
            self._chunks(),
            media_type=export.order.format.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{export.file_name}"',
                "Cache-Control": "no-store",
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; a client that goes away or stops reading ends the work."""
        heads: list[Message] = []

        async def send_in_time(message: Message) -> None:
            if message["type"] == "http.response.start":
                heads.append(message)
                return
            async with asyncio.timeout(self._stall_s):
                while heads:
                    await send(heads.pop())
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except TimeoutError:
            _log.warning("export.stalled", store_id=self._export.order.store.id)
        except ExportCancelled:
            # The head is out: only a line that breaks tells the browser that the file is not whole.
            _log.info("export.cancelled", store_id=self._export.order.store.id)
        finally:
            self._export.close()

    async def _chunks(self) -> AsyncIterator[bytes]:
        if not self._is_prepared:
            await self._export.prepare()
        async for chunk in self._export.chunks():
            yield chunk


_FILES: dict[str, Any] = {form.media_type.partition(";")[0]: {} for form in ExportFormat}


@router.get(
    "/payouts/export",
    response_class=Response,
    responses={200: {"description": "The file", "content": _FILES}},
)
async def export_payouts(
    services: Services, caller: Exporter, query: Annotated[ExportQuery, Query()]
) -> Response:
    """Return all payouts of a filter as one file, newest first."""
    store = await services.stores.read(caller.store_id)
    assert store is not None
    order = ExportOrder(
        store=store,
        wanted=read_filter(query, store),
        format=query.format,
        actor=caller.actor,
        shows_all=caller.may(Permission.SEE_UIDS),
        for_excel=query.bom,
    )
    return Download(services.exports.start(order))


@downloads.get("/exports/{ticket}")
async def download(request: Request, services: Services, ticket: str) -> Response:
    """Hand a browser the export that its page began."""
    caller = await caller_of_page(request, services)
    if caller is None:
        raise Unauthenticated
    caller.need(Permission.EXPORT)
    export = services.exports.redeem(ticket, caller.store_id, caller.actor.id)
    return Download(export, is_prepared=True)
