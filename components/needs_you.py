"""What waits for a person: each a number and a click to its list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import html

from components.text import Text
from models.attention import Attention

OnPick = Callable[[dict[str, str]], Awaitable[None]]


class NeedsYou:
    """Shows only what there is; with nothing to do it is not there at all."""

    def __init__(self, on_pick: OnPick) -> None:
        self._on_pick = on_pick
        self._shown: Attention | None = None
        with (
            html.nav()
            .classes("fp-needs")
            .props('data-testid=needs-you aria-label="Needs you"') as row
        ):
            self._row = row
            html.span("Needs you").classes("fp-needs-name")
            self._approve = self._item("to approve", {"state": "awaiting_approval"})
            self._review = self._item("to review", {"state": "needs_review"})
            self._stuck = self._item("stuck", {"state": "in_flight"})
            self._failed = self._item("failed in 24 h", {"status": "failed"})
        row.set_visibility(False)

    def show(self, attention: Attention) -> None:
        """Show new numbers."""
        if attention == self._shown:
            return
        self._shown = attention
        counts = {
            self._approve: attention.to_approve,
            self._review: attention.to_review,
            self._stuck: attention.stuck,
            self._failed: attention.failed,
        }
        for item, count in counts.items():
            item.set_text(f"{count:,} {item.words}")
            item.set_visibility(count > 0)
        self._row.set_visibility(any(counts.values()))

    def _item(self, words: str, picks: dict[str, str]) -> _Item:
        item = _Item(words)

        async def pick() -> None:
            await self._on_pick(picks)

        item.on("click", pick)
        return item


class _Item(Text):
    def __init__(self, words: str) -> None:
        super().__init__("button")
        self.words = words
        self.classes("fp-need")
