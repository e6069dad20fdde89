"""What every page has around it: places, store, live state, stop button, light and dark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from nicegui import html
from nicegui.element import Element

from components.courier import Courier
from components.icon import drawing
from components.live_badge import LiveBadge, cut_off_banner
from components.preferences import Preferences
from components.sheet import Piece, Sheet
from components.socket_panel import SocketPanel
from components.text import Text
from models.money import NANOUSD_PER_CENT

# On a phone the bar below holds so many; the rest opens from its last entry.
BAR_LIMIT = 5
_REST_ID = "fp-rest"
# A hash in the address would be taken for another place.
_SKIP = "e => { e.preventDefault(); document.getElementById('fp-main').focus(); }"


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation."""

    path: str
    word: str
    icon: str


@dataclass(frozen=True, slots=True)
class StoreSwitch:
    """The stores of a person with several: ids and names, which it is now, and how to change."""

    stores: tuple[tuple[str, str], ...]
    chosen: str
    choose: Callable[[str], object]


@dataclass(slots=True)
class Frame:
    """The parts of a frame that change."""

    store_name: str
    heading: Text
    badge: LiveBadge
    stop: Text
    notice: html.div
    notice_text: Text
    wallet: Text
    content: Element
    places: dict[str, Piece]
    waiting: Piece
    health: SocketPanel
    preferences: Preferences
    _title: str = ""
    _count: int = 0
    _shown: dict[str, object] = field(default_factory=dict)

    def show_place(self, path: str, title: str) -> None:
        """Show which place one is at."""
        for known, link in self.places.items():
            link.set("aria-current", "page" if known == path else None)
        self.heading.set_text(title)
        self._title = title
        self._show_title()

    def show_wallet(self, balance_nanousd: int | None) -> None:
        """Show what the wallet holds, rounded down to cents."""
        if self._changed("wallet", balance_nanousd):
            cents = None if balance_nanousd is None else balance_nanousd // NANOUSD_PER_CENT
            text = "" if cents is None else f"Wallet ${cents // 100:,}.{cents % 100:02d}"
            self.wallet.set_text(text)

    def show_waiting(self, count: int) -> None:
        """Count beside the payouts and in the tab's title what waits for a person."""
        if self._changed("waiting", count):
            self._count = count
            self._show_title()
            self.waiting.set_text(f"{count:,}")
            self.waiting.set_visibility(count > 0)

    def show_stopped(
        self, stopped: bool, reason: str | None = None, trouble: str | None = None
    ) -> None:
        """Show whether sends are stopped, why if the gate did it, or why nothing is new."""
        if not self._changed("stopped", (stopped, reason, trouble)):
            return
        self.content.classes(**{"remove" if trouble is None else "add": "is-old"})
        self.stop.set_text("Resume payouts" if stopped else "Stop payouts")
        self.stop.classes(
            add="stopped" if stopped else "stop", remove="stop" if stopped else "stopped"
        )
        text = "Payouts are stopped: nothing new is sent, look-ups go on." if stopped else ""
        text = trouble or text or reason or ""
        self.notice_text.set_text(text)
        self.notice.set_visibility(bool(text))

    def _show_title(self) -> None:
        title = f"{self._title} · {self.store_name}"
        shown = f"({self._count}) {title}" if self._count else title
        Courier.of(self.content.client).run(f"document.title = {json.dumps(shown)}")

    def _changed(self, name: str, value: object) -> bool:
        if name in self._shown and self._shown[name] == value:
            return False
        self._shown[name] = value
        return True


@contextmanager
def frame(
    store_name: str,
    places: list[Place],
    *,
    is_demo: bool,
    on_stop: Callable[[], object] | None,
    zone_name: str = "UTC",
    switch: StoreSwitch | None = None,
) -> Iterator[Frame]:
    """Build a page's frame; what is built inside stands in its main part."""
    skip = html.a("Skip to the content").classes("fp-skip")
    skip.props("href=#fp-main")
    skip.on("click", js_handler=_SKIP)
    with html.div().classes("fp-frame"):
        links, waiting = _side(store_name, places, switch)
        with html.div().classes("fp-page"):
            with html.header().classes("fp-top"), html.div().classes("fp-bar"):
                heading = Text("h1").classes("fp-title")
                if is_demo:
                    html.span("SANDBOX").classes("fp-chip sandbox")
                html.span().classes("fp-gap")
                wallet = Text("span").classes("fp-wallet num")
                badge = LiveBadge()
                stop = Text("button", "Stop payouts").classes("fp-button stop")
                if on_stop is None:
                    stop.set_visibility(False)
                else:
                    stop.on("click", on_stop)
                preferences = Preferences()
                health = SocketPanel(zone_name)
            with html.main().classes("fp-main").props("id=fp-main tabindex=-1"):
                cut_off_banner()
                with html.div().classes("fp-notice").props("role=alert") as notice:
                    html.span("■").props("aria-hidden=true")
                    text = Text("span")
                notice.set_visibility(False)
                with html.div().classes("fp-content") as content:
                    yield Frame(
                        store_name,
                        heading,
                        badge,
                        stop,
                        notice,
                        text,
                        wallet,
                        content,
                        links,
                        waiting,
                        health,
                        preferences,
                    )


def _side(
    store_name: str, places: list[Place], switch: StoreSwitch | None
) -> tuple[dict[str, Piece], Piece]:
    side = Sheet("nav", "fp-side", aria_label="Places").root
    home = side.add("div", "fp-home")
    home.add("div", "fp-mark").add("span", "fp-icon").draw(drawing("bolt"))
    names = home.add("div", "fp-names")
    names.add("span", "fp-brand", "Flash Payouts")
    if switch is None:
        names.add("span", "fp-store", store_name, title=store_name)
    else:
        _store_select(names, switch)
    is_long = len(places) > BAR_LIMIT
    first = places[: BAR_LIMIT - 1] if is_long else places
    links = {place.path: _place(side, place) for place in first}
    # The first place is where what waits is dealt with.
    waiting = links[places[0].path].add("span", "badge hidden", aria_label="waiting for a person")
    if is_long:
        more = side.add("button", "fp-place fp-more", type="button", popovertarget=_REST_ID)
        more.add("span", "fp-icon").draw(drawing("more"))
        more.add("span", "word", "More")
        rest = side.add("div", "fp-rest", id=_REST_ID, popover="auto")
        links |= {place.path: _place(rest, place) for place in places[BAR_LIMIT - 1 :]}
    return links, waiting


def _place(into: Piece, place: Place) -> Piece:
    link = into.add("a", "fp-place", href=place.path, data_go="", title=place.word)
    link.add("span", "fp-icon").draw(drawing(place.icon))
    link.add("span", "word", place.word)
    return link


def _store_select(into: Piece, switch: StoreSwitch) -> None:
    select = into.add("select", "fp-store fp-store-select", aria_label="Store", value=switch.chosen)
    for store_id, name in switch.stores:
        select.add("option", "", name, value=store_id)
    select.on("change", lambda event: switch.choose(str(event.args)))
