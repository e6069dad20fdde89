"""How far a database has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Epoch:
    """A database's number, and which installation it is of; copies share the installation.

    Whatever was sent after `moved_at` raised the number again.
    """

    installation: str
    number: int
    moved_at: datetime | None = None
