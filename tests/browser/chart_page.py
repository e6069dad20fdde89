"""A page with both charts and nothing else: `python -m tests.browser.chart_page PORT`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from nicegui import Client, app, html, ui

from app.pages.style_sheet import serve_style_sheet
from components.plotly_bundle import install_plotly_bundle
from components.text import Text
from components.top_cards_chart import TopCardsChart
from components.trend_chart import Step, TrendChart
from models.rollup import Bucket, Figure, TopCard
from models.states import PayoutStatus

LAST_DAY = datetime(2026, 11, 20, 23, tzinfo=UTC)  # midnight in Berlin
LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
MARK = "window.mark"
ALIASES = ("Café Aurora", "<b>bold</b> &amp; <a>co</a>", "Lucía, night shift", "Ines")


def some_buckets(number: int, step: Step, extra: int) -> list[Bucket]:
    """Return buckets that end on the same day: many completed, some failed, `extra` pending."""
    made = []
    for back in reversed(range(number)):
        figures = dict.fromkeys(PayoutStatus, Figure())
        figures[PayoutStatus.COMPLETED] = Figure(20 + back % 9, 1_000 * (20 + back % 7))
        figures[PayoutStatus.FAILED] = Figure(6, 9_000) if back % 2 == 0 else Figure()
        made.append(Bucket(LAST_DAY - LENGTHS[step] * back, figures))
    if made:
        made[-1].by_status[PayoutStatus.PENDING] = Figure(extra, 100 * extra)
    return made


def some_cards(extra: int) -> list[TopCard]:
    """Return cards; with enough `extra` the second one becomes the first."""
    return [
        TopCard(f"crd_{place}", alias, 30 - 5 * place + extra * (place == 1), 9_000 + place, None)
        for place, alias in enumerate(ALIASES)
    ]


class ChartPage:
    """Both charts, and the last thing that either told."""

    def __init__(self) -> None:
        self._has_begun = False
        with html.div().classes("fp-charts"):
            self._trend = TrendChart(
                lambda start, status: self._say(f"{start:%Y-%m-%d %H} {status}"),
                lambda measure, step: self._say(f"{measure} by {step}"),
            )
            self._cards = TopCardsChart(
                self._say, lambda measure: self._say(f"ranked by {measure}"), measure="count"
            )
        self._said = Text("pre").props("data-testid=said")

    @property
    def is_drawn(self) -> bool:
        """Tell whether both charts are drawn, and from now on only patched."""
        return all(chart._figure._is_ready for chart in (self._trend, self._cards))

    def begin(self, number: int, step: Step) -> None:
        """Show made-up figures, unless a browser that lost its connection has seen some."""
        if not self._has_begun:
            self.show(number, step=step)

    def show(self, number: int = 30, extra: int = 0, step: Step = "day") -> None:
        """Show made-up figures."""
        self._has_begun = True
        self._trend.show(some_buckets(number, step, extra), "Europe/Berlin", step)
        self._cards.show(some_cards(extra) if number else [])

    def _say(self, text: str) -> None:
        self._said.set_text(text)


def serve(port: int) -> None:
    """Serve the page; `/show` changes the one opened last, `/drawn` tells whether it is drawn.

    `/mark` sends it a number, which comes after all that was sent before.
    """
    serve_style_sheet()
    install_plotly_bundle()
    newest: list[tuple[ChartPage, Client]] = []

    def page(client: Client, number: int = 30, step: str = "day", *, wait: bool = False) -> None:
        with html.div().classes("fp-page"), html.main().classes("fp-main"):
            charts = ChartPage()
        newest[:] = [(charts, client)]
        known: dict[str, Step] = {"hour": "hour", "day": "day", "week": "week"}
        if not wait:
            client.on_connect(lambda: charts.begin(number, known[step]))

    async def change(number: int = 30, extra: int = 0, step: Step = "day") -> str:
        newest[0][0].show(number, extra, step)
        return "shown"

    async def is_drawn() -> bool:
        return newest[0][0].is_drawn

    async def mark(number: int) -> str:
        newest[0][1].run_javascript(f"{MARK} = {number}")
        return "sent"

    ui.page("/")(page)
    app.get("/show")(change)
    app.get("/drawn")(is_drawn)
    app.get("/mark")(mark)
    ui.run(host="127.0.0.1", port=port, reload=False, show=False, show_welcome_message=False)


if __name__ in {"__main__", "__mp_main__"}:
    serve(int(sys.argv[1]))
