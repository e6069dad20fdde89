"""One Boltcard: how it is used, its taps with their counters, and the keys it had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nicegui import html

from components.boltcard_list import STAGES
from components.card_programming import CardProgramming
from components.moment import short_moment
from components.text import Text
from components.theme import GLYPHS
from components.thing_rows import Row, ThingRows, cell
from models.card import CardStage, TapState
from models.card_link import LinkAction
from models.card_view import CardStory, KeyVersion, TapView

_FACTS = (
    "Draws on",
    "One tap",
    "Last tap",
    "Paid in 30 days",
    "Counter",
    "Number",
    "Added",
    "Card",
)


@dataclass(frozen=True, slots=True)
class CardActs:
    """What may be done; nothing for those who may only look."""

    edit: Callable[[], object]
    block: Callable[[], object]
    make_link: Callable[[LinkAction], object]
    show_keys: Callable[[], object]


class BoltcardSheet:
    """Shows one card; what changed is set in place, the table of keys drawn anew."""

    def __init__(
        self, zone_name: str, acts: CardActs | None, *, may_program: bool, reach: str = ""
    ) -> None:
        self._zone_name = zone_name
        self._acts = acts
        self._stage: CardStage | None = None
        self._versions: list[KeyVersion] | None = None
        self._facts: dict[str, Text] = {}
        with html.nav().classes("fp-crumbs").props('aria-label="Back"'):
            html.a("← Boltcards").props.update({"href": "/boltcards", "data-go": ""})
        with html.div().classes("fp-two"):
            with html.section().classes("fp-panel fp-thing is-loading") as self._panel:
                self._head()
                with html.div().classes("fp-panel-body"):
                    self._note = Text("p").classes("fp-note is-warning")
                    with html.div().classes("fp-facts"):
                        for name in _FACTS:
                            self._fact(name)
                with html.div().classes("fp-panel-foot"):
                    self._payouts = Text("a", "See its payouts →").classes("fp-link")
                    self._payouts.props["data-go"] = ""
            on_link = acts.make_link if acts is not None and may_program else None
            self.programming = CardProgramming(zone_name, on_link, reach=reach)
        with html.section().classes("fp-panel").props('aria-label="Taps"'):
            with html.div().classes("fp-panel-head"):
                html.h2("Taps").classes("fp-h2")
                html.span("the newest thirty").classes("fp-aside")
            with html.div().classes("fp-row fp-tap-row fp-row-head").props("aria-hidden=true"):
                for word in ("Time", "Counter", "Key set", "What came of it", "Amount"):
                    html.span(word)
            self._taps = ThingRows("fp-tap-row", "taps")
            self._no_tap = html.p("No tap yet. The first one appears here as it happens.")
            self._no_tap.classes("fp-note fp-panel-body")
        with html.details().classes("fp-panel fp-details fp-key-history") as self._keys:
            html.summary("Keys it had")
            self._key_rows = html.div().classes("fp-panel-body")
            if acts is not None and may_program:
                self._lost(acts)

    def show(self, story: CardStory, now: datetime) -> None:
        """Show a card as it is now."""
        view = story.view
        self._panel.classes(remove="is-loading")
        self._alias.set_text(view.card.alias)
        self._show_stage(view.stage)
        for name, words in self._words(story, now):
            self._facts[name].set_text(words)
        if "href" not in self._payouts.props:
            self._payouts.props["href"] = f"/?card={view.card.id}"
        self.programming.show(view, now)
        self._taps.show([self._tap_row(tap, now) for tap in story.newest])
        self._no_tap.set_visibility(not story.newest)
        if story.versions != self._versions:
            self._versions = story.versions
            self._show_versions(story.versions, now)

    def _words(self, story: CardStory, now: datetime) -> tuple[tuple[str, str], ...]:
        view, most = story.view, story.view.use.max_sats
        return (
            ("Draws on", view.use.pull_payment_name),
            ("One tap", "no limit of its own" if most is None else f"up to {most:,} sats"),
            ("Last tap", self._moment(view.last_seen_at, now)),
            ("Paid in 30 days", f"{view.paid_sats:,} sats, {view.payouts:,} payouts"),
            ("Counter", f"{view.use.counter:,}, key set {view.use.version + 1}"),
            ("Number", view.uid or "shown by its first tap"),
            ("Added", self._moment(view.card.created_at, now)),
            ("Card", view.card.id),
        )

    def _head(self) -> None:
        with html.div().classes("fp-panel-head"):
            self._alias = Text("h2").classes("fp-h2 clip")
            self._state = Text("span").classes("fp-state-word strong")
            self._state.props("data-testid=card-stage role=status")
            html.span().classes("fp-gap")
            if self._acts is not None:
                Text("button", "Edit").classes("fp-button").on("click", self._acts.edit)
                self._block = Text("button", "Block").classes("fp-button")
                self._block.on("click", self._acts.block)

    def _fact(self, name: str) -> None:
        with html.div().classes("fp-fact"):
            html.span(name).classes("soft")
            self._facts[name] = Text("span").classes("num clip")

    def _lost(self, acts: CardActs) -> None:
        with html.div().classes("fp-panel-foot"):
            lost = Text("button", "The card cannot be read any more: show its keys")
            lost.classes("fp-link fp-plain").on("click", acts.show_keys)

    def _show_stage(self, stage: CardStage) -> None:
        if stage is self._stage:
            return
        glyph, word, colour = STAGES[stage]
        old = STAGES[self._stage][2] if self._stage is not None else None
        self._state.set_text(f"{glyph} {word}")
        self._state.classes(remove=old, add=colour)
        blocked = "Its taps are refused. Lost? Leave it blocked; found? Unblock it."
        self._note.set_text(blocked if stage is CardStage.BLOCKED else "")
        if self._acts is not None:
            self._block.set_text("Unblock" if stage is CardStage.BLOCKED else "Block")
            self._block.set_visibility(stage is not CardStage.WIPED)
        self._stage = stage

    def _tap_row(self, tap: TapView, now: datetime) -> Row:
        outcome = cell("nothing drawn", "soft")
        if tap.status is not None:
            word = str(tap.status)
            outcome = cell(f"{GLYPHS[word]} {word.capitalize()}", f"is-{word} strong")
        elif tap.state is TapState.OPEN and tap.expires_at > now:
            outcome = cell("open now", "is-processing")
        amount = "–" if tap.amount_sats is None else f"{tap.amount_sats:,} sats"
        return {
            "id": f"{tap.version} {tap.counter}",
            "href": None if tap.payout_id is None else f"/payouts/{tap.payout_id}",
            "cells": [
                cell(self._moment(tap.at, now), "num"),
                cell(f"{tap.counter:,}", "num"),
                cell(str(tap.version + 1), "num soft"),
                outcome,
                cell(amount, "num"),
            ],
        }

    def _show_versions(self, versions: list[KeyVersion], now: datetime) -> None:
        self._key_rows.clear()
        with self._key_rows, html.table().classes("fp-table"):
            _table_head("Key set", "Made", "Handed out", "First tap", "Counter", "")
            with html.tbody():
                for version in versions:
                    with html.tr():
                        html.td(str(version.version + 1)).classes("num strong")
                        moments = (version.created_at, version.handed_at, version.first_tap_at)
                        for moment in moments:
                            html.td(self._moment(moment, now)).classes("num")
                        html.td(f"{version.counter:,}").classes("num")
                        html.td(_version_word(version)).classes("soft right")

    def _moment(self, moment: datetime | None, now: datetime) -> str:
        return "–" if moment is None else short_moment(moment, now, self._zone_name)


def _version_word(version: KeyVersion) -> str:
    if version.wiped_at is not None:
        return "wiped"
    return "current" if version.is_current else "replaced: refused"


def _table_head(*words: str) -> None:
    with html.thead(), html.tr():
        for word in words:
            html.th(word).props("scope=col")
