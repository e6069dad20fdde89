"""Writes down what people, keys and settings do, in the transaction that does it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.store import Actor
from services.storage.audit import add_audit
from services.storage.statement import Transaction


def audit(
    tx: Transaction,
    store_id: str,
    actor: Actor,
    action: str,
    *,
    now: datetime,
    subject_id: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Record an act; `before` and `after` name what changed, and never hold secrets."""
    add_audit(
        tx,
        store_id,
        actor,
        action,
        now=now,
        subject_id=subject_id,
        before=_text(before),
        after=_text(after),
    )


def _text(fields: Mapping[str, Any] | None) -> str | None:
    if fields is None:
        return None
    return json.dumps(fields, sort_keys=True, default=str, separators=(",", ":"))
