"""Acts of the record in plain words, and what changed with them."""

from __future__ import annotations

import json
from typing import Any

WORDS = {
    "api_key.created": "Made an API key",
    "api_key.revoked": "Revoked an API key",
    "api_key.rotated": "Replaced an API key",
    "card.changed": "Changed a card",
    "card.created": "Made a card",
    "card.keys_handed_out": "A card took its keys",
    "card.keys_handed_out_to_wipe": "A card took its keys to be wiped",
    "card.keys_shown": "Looked at a card's keys",
    "card.link_made": "Made a link to program a card",
    "card_numbers.seen": "Saw whole card numbers",
    "connection.ended": "Disconnected Flash",
    "connection.made": "Connected Flash",
    "difference.seen": "Said why a difference with Flash's list is no matter",
    "invitation.taken_back": "Took an invitation back",
    "password.changed": "Changed the password",
    "payout.held": "Held a payout",
    "payout.released": "Released a payout",
    "payout.resolved": "Resolved a payout",
    "payout.retried": "Retried a payout",
    "payouts.exported": "Exported payouts",
    "password.reset": "Set a new password by a link",
    "password.reset_begun": "Made a link for a new password",
    "person.invited": "Invited a person",
    "person.joined": "Joined the store",
    "person.removed": "Removed a person",
    "pull_payment.changed": "Changed a pull payment",
    "pull_payment.created": "Made a pull payment",
    "record.exported": "Exported the record",
    "recovery_codes.renewed": "Made new recovery codes",
    "role.changed": "Changed a role",
    "second_factor.added": "Turned the second factor on",
    "second_factor.removed": "Turned the second factor off",
    "session.confirmed": "Gave the password again",
    "session.ended": "Ended a session",
    "sessions.ended": "Ended sessions",
    "sign_in.ok": "Signed in",
    "sign_in.refused": "A sign-in was refused",
    "store.changed": "Changed the store",
    "store.created": "Made the store",
    "token.reused": "A used-up token came back: its session was ended",
    "wallet.gate_opened": "Opened the gate",
    "wallet.resumed": "Resumed payouts",
    "wallet.stopped": "Stopped payouts",
}


def act_words(action: str) -> str:
    """Return what was done; an act without words of its own is spelled out."""
    spelled = action.replace(".", ": ").replace("_", " ")
    return WORDS.get(action) or spelled[:1].upper() + spelled[1:]


def changes(before: str | None, after: str | None) -> list[tuple[str, str, str]]:
    """Return name, value before and value after of everything an act wrote down."""
    old, new = _fields(before), _fields(after)
    return [
        (name.replace("_", " ").capitalize(), _text(old, name), _text(new, name))
        for name in dict.fromkeys((*old, *new))
    ]


def _fields(text: str | None) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {"value": found}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
