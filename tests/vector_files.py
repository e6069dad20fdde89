"""The vector files next to this one, each with its sources and licence in `meta`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

_FOLDER: Final = Path(__file__).parent / "vectors"


def vectors(name: str, group: str) -> list[Any]:
    """Return the rows of a group as parameters that carry their id."""
    return [
        pytest.param(row, id=row.get("id", f"{group}-{number}"))
        for number, row in enumerate(rows(name, group), 1)
    ]


def rows(name: str, group: str) -> list[dict[str, Any]]:
    """Return the rows of a group as they stand in the file."""
    loaded: list[dict[str, Any]] = json.loads((_FOLDER / name).read_text())[group]
    return loaded
