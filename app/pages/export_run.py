"""An export from a tab: begun, watched, cancelled, and handed to the browser."""

from __future__ import annotations

import asyncio

from nicegui import Client, background_tasks

from components.export_progress import ExportProgress
from models.errors import ServiceError
from models.export import ExportOrder, ExportStage, Progress
from services.exports import Export, Exports

# What is done sooner needs no panel; the browser shows the file by itself.
PATIENCE_S = 0.4
BROKEN = "It was cancelled, or the browser stopped taking it."


class ExportRun:
    """Runs one export of a tab at a time, whatever place the tab shows meanwhile."""

    def __init__(self, exports: Exports, client: Client) -> None:
        self._exports = exports
        self._client = client
        self._export: Export | None = None
        self._preparing: asyncio.Task[str | ServiceError] | None = None
        self._is_shown = False
        self._panel = ExportProgress(self.cancel)

    async def begin(self, order: ExportOrder) -> None:
        """Make a file, and have the browser fetch it; a second one waits for the first to end."""
        if self._export is not None and not self._export.is_closed:
            self._reveal(self._export)
            return
        self._is_shown = False
        self._panel.hide()
        try:
            export = self._export = self._exports.start(order, self._told)
        except ServiceError as error:
            self._panel.fail(error.message)
            return
        asyncio.get_running_loop().call_later(PATIENCE_S, self._reveal, export)
        preparing = self._preparing = background_tasks.create(
            self._prepare(export), name="prepare an export"
        )
        try:
            await asyncio.wait({preparing})
        finally:
            self._preparing = None
            preparing.cancel()
        if self._client.is_deleted:
            export.close()
        elif preparing.cancelled():
            self._panel.hide()
        elif isinstance(found := preparing.result(), ServiceError):
            self._panel.fail(found.message)
        else:
            self._client.download(f"/exports/{found}")

    async def _prepare(self, export: Export) -> str | ServiceError:
        try:
            return await self._exports.ticket_for(export)
        except ServiceError as error:
            return error

    def cancel(self) -> None:
        """Make no file after all."""
        if self._preparing is not None:
            self._preparing.cancel()
        elif self._export is not None:
            self._export.cancel()
        # Whatever it still tells is of a file that nobody waits for.
        self._export = None
        self._panel.hide()

    def leave(self) -> None:
        """Let go when the tab is closed: what the browser fetches already, it goes on fetching."""
        if self._preparing is not None:
            self._preparing.cancel()

    def _reveal(self, export: Export) -> None:
        is_over = export.progress.stage in {ExportStage.DONE, ExportStage.FAILED}
        if export is self._export and not is_over and not self._client.is_deleted:
            self._is_shown = True
            self._panel.begin()
            self._panel.show(export.progress)

    def _told(self, progress: Progress) -> None:
        export = self._export
        if export is None or progress is not export.progress:
            return  # an older export, which was cancelled
        if not self._is_shown or self._client.is_deleted:
            return
        if progress.stage is ExportStage.DONE:
            self._panel.finish(export.file_name, export.total)
        elif progress.stage is ExportStage.FAILED:
            self._panel.fail(BROKEN)
        else:
            self._panel.show(progress)
