"""Every colour of text can be read on what lies behind it, in both schemes (WCAG 2.1, AA)."""

from __future__ import annotations

import re

import pytest

from components.theme import STYLES

SURFACES = ("page", "surface", "raised")
TEXTS = ("ink", "ink-2", "ink-3", "pending", "processing", "completed", "failed", "cancelled")
PAIRS = [(text, behind) for text in TEXTS for behind in SURFACES]
PAIRS += [(word, f"{word}-bg") for word in TEXTS[3:]]
PAIRS += [("on-accent", "accent"), ("on-brand", "brand"), ("ink", "flash"), ("ink", "line")]
READABLE = 450  # hundredths
VISIBLE = 300  # for what is no text: the ring around what has the focus


def tokens(scheme: str) -> dict[str, str]:
    """Return the colours of a scheme by name."""
    sheet = (STYLES / "tokens.css").read_text()
    found = re.search(rf"{re.escape(scheme)}\s*{{(.*?)}}", sheet, re.DOTALL)
    assert found is not None, scheme
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", found[1]))


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> int:
    """Return the contrast of two colours in hundredths."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return int(100 * (light + 0.05) / (dark + 0.05))


@pytest.mark.parametrize("scheme", [".body--light", ".body--dark"])
def test_texts_can_be_read_and_the_focus_seen(scheme: str) -> None:
    colours = tokens(scheme)

    found = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in PAIRS}
    ring = {behind: contrast(colours["focus"], colours[behind]) for behind in SURFACES}

    assert {pair: ratio for pair, ratio in found.items() if ratio < READABLE} == {}
    assert min(ring.values()) >= VISIBLE


def test_the_measure_is_the_known_one() -> None:
    assert contrast("#000000", "#ffffff") == 2100
    assert contrast("#777777", "#ffffff") == 447  # the famous grey that is just too light
