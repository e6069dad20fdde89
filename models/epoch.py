"""How far a database has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """A database's number, and which installation it is of; copies share the installation."""

    installation: str
    number: int
