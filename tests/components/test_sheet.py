"""A sheet: what it writes down, what it sends afterwards, and to whom it listens."""

from __future__ import annotations

from typing import Any

import pytest
from nicegui import events

from components.courier import Courier
from components.sheet import Piece, Sheet
from tests.components.pages import Paper, paper

HOSTILE = "<img src=x onerror=alert(1)> & \"'"


def told(page: Paper, sheet: Sheet) -> dict[int, dict[str, str | None]]:
    """Return what the browser is told of a sheet, by the number of the piece."""
    found: dict[int, dict[str, str | None]] = {}
    for element, method, args in Courier.of(page.client).take():
        assert (element, method) == (sheet.id, "take")
        found |= args[0]
    return found


def act(sheet: Sheet, piece: object, event: object, value: object = None) -> None:
    """Say what a browser could say."""
    said: Any = {"piece": piece, "event": event, "value": value}
    sheet._acted(events.GenericEventArguments(sender=sheet, client=sheet.client, args=said))


async def test_text_from_outside_stays_text() -> None:
    with paper():
        sheet = Sheet("section", "fp-panel", aria_label=HOSTILE)
        sheet.root.add("p", "note", HOSTILE, title=HOSTILE)

        props = sheet._to_dict()["props"]

    escaped = "&lt;img src=x onerror=alert(1)&gt; &amp; "
    assert f">{escaped}\"'</p>" in props["html"]
    assert f'title="{escaped}&quot;&#x27;"' in props["html"]
    assert props["aria-label"] == HOSTILE  # an attribute that the framework sets, not HTML


async def test_pieces_are_counted_as_a_browser_comes_upon_them() -> None:
    with paper() as page:
        sheet = Sheet("ul")
        first, second = sheet.root.add("li"), sheet.root.add("li")
        second.add("b", "", "two")
        inner = first.add("b", "", "one")
        inner.set_text("before anybody is told")
        assert "before anybody is told" in sheet._to_dict()["props"]["html"]
        assert told(page, sheet) == {}

        second.set_text("last")
        inner.set_text("first")
        inner.set_text("first")
        second.mark("hidden", on=True)
        first.set("title", "a")
        first.set("title", None)

        assert told(page, sheet) == {
            1: {"title": None},
            2: {"text": "first"},
            3: {"text": "last", "class": "hidden"},
        }
        assert told(page, sheet) == {}


@pytest.mark.parametrize(
    ("piece", "event"),
    [(0, "click"), (2, "click"), (1, "change"), (9, "click"), (-1, "click"), ("1", []), (True, "")],
)
async def test_only_what_is_listened_for_and_in_sight_is_heard(
    piece: object, event: object
) -> None:
    heard: list[object] = []
    with paper():
        sheet = Sheet("div")
        box = sheet.root.add("span").on("click", lambda e: heard.append(e.args))
        hidden: Piece = sheet.root.add("span", "hidden").add("button")
        hidden.on("click", lambda: heard.append("hidden"))
        assert sheet._to_dict()["props"]["heard"] == [(1, "click"), (3, "click")]

        act(sheet, piece, event)
        act(sheet, 3, "click")
        assert heard == []

        act(sheet, 1, "click", "told")
        assert heard == ["told"]
        box.set_visibility(visible=False)
        act(sheet, 1, "click", "hidden by now")
        assert heard == ["told"]


async def test_a_page_that_is_gone_is_sent_nothing() -> None:
    with paper() as page:
        sheet = Sheet("div")
        sheet._to_dict()
    sheet.root.set_text("late")

    assert Courier.of(page.client).take() == []
