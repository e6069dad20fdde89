"""Who calls, and what their role allows: one table of permissions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request

from app.container import Container
from app.http.strict import check_query
from app.request import request_id_of
from models.errors import Forbidden, Unauthenticated
from models.store import Actor, ActorKind, Role
from services.stores import KEY_PREFIX


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


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls: the one store they act in, and as what."""

    store_id: str
    role: Role
    actor: Actor
    session_id: str | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether the role allows something."""
        return self.role in ALLOWED[permission]

    def need(self, permission: Permission) -> None:
        """Refuse what the role does not allow.

        Raises:
            Forbidden: The role does not allow it.
        """
        if not self.may(permission):
            raise Forbidden(f"The role {self.role} does not allow this.")

    def may_grant(self, role: Role) -> bool:
        """Tell whether a role, given to a key or a person, allows nothing the caller's does not."""
        return all(self.may(permission) for permission in Permission if role in ALLOWED[permission])

    def need_grant(self, role: Role) -> None:
        """Refuse to hand out more than the caller has.

        Raises:
            Forbidden: The role would allow more.
        """
        if not self.may_grant(role):
            raise Forbidden(f"The role {self.role} cannot hand out the role {role}.")


def container_of(request: Request) -> Container:
    """Return the container that the server was built with."""
    container = request.app.state.container
    assert isinstance(container, Container)
    return container


async def caller_of(request: Request) -> Caller:
    """Return who calls, by the bearer: an API key, or the access token of a person.

    Raises:
        Unauthenticated: None, or one that is not valid.
    """
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthenticated("Send Authorization: Bearer and an API key.")
    services, text = container_of(request), credential.strip()
    address = request.client.host if request.client else None
    if not text.startswith(KEY_PREFIX):
        standing = await services.doors.tokens.standing(text)
        session = standing.session
        request.app.state.allowance.of_key(session.id, address)
        actor = Actor(ActorKind.PERSON, session.user_id, address, request_id_of(request))
        return Caller(session.store_id, standing.role, actor, session.id)
    key = await services.stores.authenticate(text)
    request.app.state.allowance.of_key(key.id, address)
    actor = Actor(ActorKind.API_KEY, key.id, address, request_id_of(request))
    return Caller(key.store_id, key.role, actor)


async def still(caller: Caller, container: Container) -> Caller:
    """Return the caller as of now: a page may have been open since before a role was changed.

    Raises:
        Unauthenticated: The session is over.
    """
    if caller.session_id is None:
        return caller
    standing = await container.doors.sessions.read(caller.session_id)
    if standing is None or standing.session.store_id != caller.store_id:
        raise Unauthenticated("Sign in again.")
    return replace(caller, role=standing.role)


def allowed(permission: Permission) -> Callable[[Request], Awaitable[Caller]]:
    """Return the dependency of a route that needs a permission."""

    async def dependency(request: Request) -> Caller:
        caller = await caller_of(request)
        caller.need(permission)
        check_query(request)
        return caller

    return dependency


Services = Annotated[Container, Depends(container_of)]
Reader = Annotated[Caller, Depends(allowed(Permission.READ))]
Exporter = Annotated[Caller, Depends(allowed(Permission.EXPORT))]
Creator = Annotated[Caller, Depends(allowed(Permission.CREATE))]
Programmer = Annotated[Caller, Depends(allowed(Permission.PROGRAM))]
Approver = Annotated[Caller, Depends(allowed(Permission.APPROVE))]
Canceller = Annotated[Caller, Depends(allowed(Permission.CANCEL))]
Stopper = Annotated[Caller, Depends(allowed(Permission.STOP))]
Resumer = Annotated[Caller, Depends(allowed(Permission.RESUME))]
Intervener = Annotated[Caller, Depends(allowed(Permission.INTERVENE))]
Resolver = Annotated[Caller, Depends(allowed(Permission.RESOLVE))]
