"""What roles allow: the one table of permissions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from models.errors import InvalidField
from models.store import Role


class Permission(StrEnum):
    """What may be allowed."""

    READ = "read"
    SEE_UIDS = "see whole card numbers, and preimages"
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

    @property
    def word(self) -> str:
        """Return it as the scope of a key."""
        return self.name.lower()


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

# To what a key can be narrowed: people look after people, keys and settings.
SCOPES = tuple(
    each
    for each in Permission
    if each not in {Permission.KEYS, Permission.PEOPLE, Permission.SETTINGS, Permission.AUDIT}
)
Scopes = frozenset[Permission]


def scopes_of(words: Iterable[str], role: Role) -> Scopes | None:
    """Return what a key is narrowed to; nothing said, to nothing but its role.

    Raises:
        InvalidField: There is no such scope, or the role does not allow it.
    """
    known, found = {each.word: each for each in SCOPES}, set()
    for word in words:
        scope = known.get(word)
        if scope is None:
            raise InvalidField("scope", f"choose of {', '.join(known)}")
        if role not in ALLOWED[scope]:
            raise InvalidField("scope", f"the role {role} does not allow {word}")
        found.add(scope)
    return frozenset(found) or None


def kept_scopes(words: str | None) -> Scopes | None:
    """Return the scopes that are kept with a key; a word that is none any more allows nothing."""
    if words is None:
        return None
    return frozenset(each for each in SCOPES if each.word in words.split())


def words_of(scopes: Scopes) -> str:
    """Return scopes as they are kept and shown: their words, in the order of the table."""
    return " ".join(each.word for each in SCOPES if each in scopes)
