"""A filter that somebody keeps under a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

NAME_LIMIT = 40
VIEWS_LIMIT = 50
QUERY_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class SavedView:
    """What stood in the address when it was saved; `owner_id` is the person who sees it."""

    id: str
    store_id: str
    owner_id: str
    slot: int
    name: str
    name_key: str
    query: str
    created_at: datetime
