"""Whether phones can reach the links that are made here, and what to do if they cannot."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.container import Container
from app.settings import PREFIX, is_loopback
from models.store import DatabaseKind


def reach_words(container: Container) -> str:
    """Return a warning, or nothing where links lead out of this machine."""
    if not is_loopback(urlsplit(container.settings.base_url).hostname or ""):
        return ""
    if container.kind is DatabaseKind.DEMO:
        return "Links of the demo lead to this machine, so a phone cannot open them."
    return (
        "A phone cannot open this yet: links lead to this machine. "
        f"Set {PREFIX}PUBLIC_URL to the address by which others reach it."
    )
