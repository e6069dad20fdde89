"""What a backup says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is a copy of; the master key is never in it."""

    database: str
    revision: str
    kind: str
    installation: str
    epoch: int
