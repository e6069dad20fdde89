"""The look: colours with meaning, one type scale, both schemes; everything else leans on it."""

from __future__ import annotations

from pathlib import Path

STYLES = Path(__file__).with_name("styles")
# The first two are leaned on by all others; each of those belongs to the component of its name.
FIRST = ("tokens.css", "base.css")

# One glyph per status, so that colour never stands alone.
GLYPHS = {
    "pending": "○",
    "processing": "◐",
    "completed": "●",
    "failed": "✕",
    "cancelled": "–",
}


def style_sheet() -> str:
    """Return all style sheets as one."""
    rest = sorted(path.name for path in STYLES.glob("*.css") if path.name not in FIRST)
    return "\n".join((STYLES / name).read_text() for name in (*FIRST, *rest))
