"""The chart library: a small build of Plotly served from here, and charts that are only patched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nicegui import app, events, html, ui
from nicegui.dependencies import register_importmap_override

from components.chart_style import Figure
from components.courier import Courier
from components.prepared import Prepared
from components.sheet import Sheet

ASSETS = Path(__file__).with_name("assets")
# What NiceGUI's chart imports, and what it gets instead of its own 4.6 MB.
IMPORT_NAME = "nicegui-plotly"
FILES = ("charts.mjs", "plotly-basic.min.js")
YEAR_S = 365 * 24 * 60 * 60
# Picking, pointing and reading aloud is done by charts.mjs; Plotly only draws.
CONFIG = {"staticPlot": True, "displayModeBar": False}


def install_plotly_bundle() -> str:
    """Serve the library to all pages and return its address; called once, at start-up."""
    content = b"".join((ASSETS / name).read_bytes() for name in FILES)
    # The address changes with the content, so browsers may keep it as long as they like.
    folder = f"/charts/{hashlib.sha256(content).hexdigest()[:16]}"
    app.add_static_files(folder, ASSETS, max_cache_age=YEAR_S)
    address = f"{folder}/{FILES[0]}"
    register_importmap_override(IMPORT_NAME, address)
    ui.add_css(ASSETS / "charts.css", shared=True)
    return address


class LiveFigure:
    """A chart that is drawn once and from then on only patched.

    It is made when the browser is connected and there is something to show; until then a skeleton
    or `when_empty` stands in its place. `on_pick` is told the key of a slot and of a series.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        when_empty: tuple[str, str],
        on_pick: Callable[[str, str | None], object],
    ) -> None:
        self._on_pick = on_pick
        self._name = name
        self._plot: ui.plotly | None = None
        self._is_ready = False
        self._wanted: Figure | None = None
        self._prepared = Prepared()
        self._drawn: Figure = {}
        self._is_empty = False
        with html.div().classes(f"fp-stage {kind}") as self._stage:
            html.div().classes("fp-skeleton").props("aria-hidden=true")
            with html.div().classes("fp-chart-empty"):
                html.strong(when_empty[0])
                html.span(when_empty[1])
            self._summary = Sheet("p", "fp-sr")
            self._table = html.table().classes("fp-sr")
        ui.context.client.on_connect(self._flush)

    def show(
        self, figure: Figure, summary: str, *, is_empty: bool, prepared: Prepared | None = None
    ) -> None:
        """Show a figure; only what is different from the one before is sent.

        What is different is the same for all pages that are `prepared` alike.
        """
        if self._stage.is_deleted:
            return
        self._wanted, self._prepared = figure, prepared or Prepared()
        self._summary.root.set_text(summary)
        if is_empty != self._is_empty:
            self._is_empty = is_empty
            self._stage.classes(add="empty" if is_empty else "", remove="" if is_empty else "empty")
        self._flush()

    def _flush(self) -> None:
        stage = self._stage
        if self._wanted is None or stage.is_deleted or not stage.client.has_socket_connection:
            return
        if self._plot is None:
            if not self._is_empty:
                self._draw(self._wanted)
        elif self._is_ready:
            self._patch(self._plot, self._wanted)

    def _draw(self, figure: Figure) -> None:
        # The figure may be shared with other pages: what is this page's own goes into a copy.
        plan = figure["layout"]
        own = plan | {"meta": plan["meta"] | {"table": self._table.html_id}}
        with self._stage:
            plot = ui.plotly(figure | {"layout": own, "config": dict(CONFIG)})
        plot.props(
            f'tabindex=0 role=application aria-roledescription=chart aria-label="{self._name}"'
        )
        plot.props(f"aria-describedby={self._summary.html_id}")
        plot.on("pick", self._picked, js_handler="(event) => emit(event.detail)")
        plot.on("ready", self._ready, js_handler="() => emit()")
        self._plot, self._drawn = plot, figure

    def _patch(self, plot: ui.plotly, figure: Figure) -> None:
        drawn, self._drawn = self._drawn, figure
        if drawn is figure:
            return
        # Kept with both, so that no other figure can take the place of one in memory.
        *_, (traces, places, around) = self._prepared.once(
            ("differences", id(drawn), id(figure)),
            lambda: (drawn, figure, differences(drawn, figure)),
        )
        if traces and around:
            self._tell(plot, "update", traces, around, places)
        elif traces:
            self._tell(plot, "restyle", traces, places)
        elif around:
            self._tell(plot, "relayout", around)

    @staticmethod
    def _tell(plot: ui.plotly, method: str, *args: Any) -> None:
        Courier.of(plot.client).call(plot.id, "run_plot_method", method, *args)

    def _ready(self) -> None:
        self._is_ready = True
        if self._plot is not None:
            # The browser has it, and is told what changes: here it would only fill the memory.
            with self._plot.props.suspend_updates():
                self._plot.props["options"] = {}
        self._flush()

    def _picked(self, event: events.GenericEventArguments) -> None:
        picked = event.args if isinstance(event.args, dict) else {}
        key, series = picked.get("key"), picked.get("series")
        if isinstance(key, str) and (series is None or isinstance(series, str)):
            self._on_pick(key, series)


def differences(before: Figure, after: Figure) -> tuple[dict[str, list[Any]], list[int], Figure]:
    """Return what Plotly is told to turn one figure into another: traces, which, and layout."""
    pairs = list(zip(before["data"], after["data"], strict=True))
    places = [place for place, (old, new) in enumerate(pairs) if old != new]
    names = {name for old, new in pairs for name in new if old.get(name) != new[name]}
    traces = {name: [after["data"][place][name] for place in places] for name in sorted(names)}
    return traces, places, _changed(before["layout"], after["layout"])


def _changed(before: Figure, after: Figure, path: str = "") -> Figure:
    changed: Figure = {}
    for name, value in after.items():
        old = before.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            changed |= _changed(old, value, f"{path}{name}.")
        elif value != old:
            changed[path + name] = value
    return changed
