"""Drawings of one stroke width, for places and acts."""

from __future__ import annotations

from nicegui import ui

_SHAPES = {
    "bolt": '<path d="M13 2 4 14h7l-1 8 10-13h-7z" fill="currentColor" stroke="none"/>',
    "payouts": '<path d="M4 7h16M4 12h16M4 17h10"/>',
    "pull-payments": '<path d="M4 9h16v10H4zM8 9V5h8v4M9 14h6"/>',
    "boltcards": '<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="M3 10h18M7 15h3"/>',
    "wallet": '<path d="M4 7.5A2.5 2.5 0 0 1 6.5 5H18v14H6.5A2.5 2.5 0 0 1 4 16.5zM18 10h3v4h-3"/>',
    "settings": '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/>'
    '<circle cx="9" cy="17" r="2"/>',
    "people": '<circle cx="9" cy="8.5" r="3.5"/><path d="M3 19c.6-3.4 3-5 6-5s5.400 1.600 6 5'
    'M16 5.500a3.500 3.500 0 0 1 0 6M17.500 14.500c2 .6 3.200 2 3.500 4.500"/>',
    "record": '<path d="M6 3h9l4 4v14H6zM9.500 12h6M9.500 16h6M9.500 8h2"/>',
    "account": '<circle cx="12" cy="8.500" r="4"/>'
    '<path d="M4.500 20c.8-4 3.700-6 7.500-6s6.700 2 7.500 6"/>',
    "more": '<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3"/>',
    "health": '<path d="M3 12h4l2.500-6 4.500 12 2.500-6H21"/>',
}


def icon(name: str) -> ui.html:
    """Place a drawing; the words beside it say what it means, so it is not read aloud."""
    # What is drawn is written above; nothing from outside gets in.
    return ui.html(drawing(name), sanitize=False, tag="span").classes("fp-icon")


def drawing(name: str) -> str:
    """Return a drawing as it is written in a page."""
    return (
        '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{_SHAPES[name]}</svg>'
    )
