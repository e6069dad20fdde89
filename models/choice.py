"""Something that can be chosen from a list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen, and the name people know it by."""

    id: str
    name: str
