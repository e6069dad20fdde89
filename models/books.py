"""What an audit of our own books finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Two places that should agree and do not."""

    invariant: str
    subject: str
    detail: str
