"""How far an export is, for one that takes long enough to wonder; it says how it ended."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import html

from components.text import Text
from models.export import ExportStage, Progress
from models.rollup import Figure

_WORDS = {
    ExportStage.READING: "Reading payouts",
    ExportStage.WRITING: "Writing the file",
    ExportStage.DONE: "Done",
    ExportStage.FAILED: "Ended",
}


class ExportProgress:
    """A small panel in the corner: a bar, rows done of all, a button that cancels or closes."""

    def __init__(self, on_cancel: Callable[[], object]) -> None:
        self._on_cancel = on_cancel
        self._is_running = False
        with html.section().classes("fp-toast") as self._panel:
            self._panel.props('data-testid=export-progress aria-label="Export"')
            with html.div().classes("fp-toast-top"):
                self._title = Text("span").classes("strong").props("role=status")
                html.span().classes("fp-gap")
                self._button = Text("button").classes("fp-button quiet small")
            self._bar = html.progress().props('max=100 value=0 aria-label="Export"')
            self._detail = Text("span").classes("fp-aside num")
        self._button.on("click", self._press)
        self._panel.set_visibility(False)

    def begin(self) -> None:
        """Show that it runs."""
        self._is_running = True
        self._panel.classes(remove="is-failed is-done")
        self._title.set_text(_WORDS[ExportStage.READING])
        self._button.set_text("Cancel")
        self._bar.set_visibility(True)
        self._detail.set_text("")
        self._panel.set_visibility(True)

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        if not self._is_running:
            return
        self._title.set_text(_WORDS[progress.stage])
        self._bar.props["value"] = progress.percent
        done = max(progress.rows_written, 0) or progress.rows_read
        self._detail.set_text(f"{done:,} of {progress.rows_expected:,} payouts")

    def finish(self, file_name: str, total: Figure) -> None:
        """Say which file it became and what is in it."""
        self._end("is-done", "Export is ready", f"{file_name} · {contents(total)}")

    def fail(self, message: str) -> None:
        """Say why there is no file."""
        self._end("is-failed", "No file was made", message)

    def hide(self) -> None:
        """Take the panel away."""
        self._is_running = False
        self._panel.set_visibility(False)

    def _end(self, mark: str, title: str, detail: str) -> None:
        self._is_running = False
        self._panel.classes(add=mark)
        self._title.set_text(title)
        self._detail.set_text(detail)
        self._bar.set_visibility(False)
        self._button.set_text("Close")
        self._panel.set_visibility(True)

    def _press(self) -> None:
        if self._is_running:
            self._on_cancel()
        else:
            self.hide()


def contents(total: Figure) -> str:
    """Return what is in a file, as its foot has it."""
    word = "payout" if total.count == 1 else "payouts"
    return f"{total.count:,} {word}, {total.amount_sats:,} sats"
