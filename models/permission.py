"""What roles allow: the one table of permissions."""

from __future__ import annotations

from enum import StrEnum

from models.store import Role


class Permission(StrEnum):
    """What may be allowed."""

    READ = "read"
    SEE_UIDS = "see whole card numbers"
    SEE_LINKS = "see claim links, which let whoever holds one draw"
    CREATE = "create pull payments, cards and payouts"
    PROGRAM = "program cards, give them new keys and wipe them"
    APPROVE = "approve and reject"
    CANCEL = "cancel"
    STOP = "stop sends"
    RESUME = "resume sends"
    INTERVENE = "retry, hold and release"
    RESOLVE = "resolve what nothing else decides"
    EXPORT = "export payouts"
    KEYS = "make, replace and revoke API keys"
    PEOPLE = "invite and remove people, and change their roles"
    SETTINGS = "change settings, the connection to Flash among them"
    AUDIT = "read the record of what was done"


_EVERYBODY = frozenset(Role)
_MANAGERS = frozenset({Role.OWNER, Role.MANAGER})
_APPROVERS = frozenset({Role.OWNER, Role.APPROVER})

ALLOWED: dict[Permission, frozenset[Role]] = {
    Permission.READ: _EVERYBODY,
    Permission.SEE_UIDS: _MANAGERS,
    Permission.SEE_LINKS: _MANAGERS,
    Permission.CREATE: _MANAGERS,
    Permission.PROGRAM: _MANAGERS,
    Permission.APPROVE: _APPROVERS | _MANAGERS,
    Permission.CANCEL: _MANAGERS,
    Permission.STOP: frozenset({Role.OWNER, Role.MANAGER, Role.APPROVER}),
    Permission.RESUME: frozenset({Role.OWNER}),
    Permission.INTERVENE: _MANAGERS,
    Permission.RESOLVE: frozenset({Role.OWNER}),
    Permission.EXPORT: _EVERYBODY - {Role.DEVELOPER},
    Permission.KEYS: frozenset({Role.OWNER, Role.DEVELOPER}),
    Permission.PEOPLE: frozenset({Role.OWNER}),
    Permission.SETTINGS: frozenset({Role.OWNER}),
    Permission.AUDIT: frozenset({Role.OWNER, Role.AUDITOR}),
}

# What decides over money for good, or over who decides: it asks for the password again.
ASKS_AGAIN = frozenset(
    {Permission.RESOLVE, Permission.KEYS, Permission.PEOPLE, Permission.SETTINGS}
)
