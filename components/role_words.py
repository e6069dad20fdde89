"""What each role may do, in a few words."""

from __future__ import annotations

from models.store import Role

ROLES = {
    Role.OWNER: "everything, people and settings too",
    Role.MANAGER: "makes, approves and cancels payouts, programs cards",
    Role.APPROVER: "approves, rejects and stops payouts",
    Role.VIEWER: "looks, and exports",
    Role.AUDITOR: "looks, exports, and reads the record",
    Role.DEVELOPER: "looks, and keeps API keys",
}


def role_name(role: Role) -> str:
    """Return a role as a word to begin with."""
    return str(role).capitalize()


def role_options(roles: list[Role]) -> tuple[tuple[str, str], ...]:
    """Return roles to choose from, each with what it may do."""
    return tuple((str(role), f"{role_name(role)} – {ROLES[role]}") for role in roles)
