"""Who calls, and what their role allows: one table of permissions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
    CREATE = "create pull payments, cards and payouts"
    PROGRAM = "program cards, give them new keys and wipe them"
    APPROVE = "approve and reject"
    CANCEL = "cancel"
    STOP = "stop sends"
    RESUME = "resume sends"
    INTERVENE = "retry, hold and release"
    RESOLVE = "resolve what nothing else decides"


_EVERYBODY = frozenset({Role.OWNER, Role.MANAGER, Role.APPROVER, Role.VIEWER})
_MANAGERS = frozenset({Role.OWNER, Role.MANAGER})
_APPROVERS = frozenset({Role.OWNER, Role.APPROVER})

ALLOWED: dict[Permission, frozenset[Role]] = {
    Permission.READ: _EVERYBODY,
    Permission.SEE_UIDS: _MANAGERS,
    Permission.CREATE: _MANAGERS,
    Permission.PROGRAM: _MANAGERS,
    Permission.APPROVE: _APPROVERS | _MANAGERS,
    Permission.CANCEL: _MANAGERS,
    Permission.STOP: frozenset({Role.OWNER, Role.MANAGER, Role.APPROVER}),
    Permission.RESUME: frozenset({Role.OWNER}),
    Permission.INTERVENE: _MANAGERS,
    Permission.RESOLVE: frozenset({Role.OWNER}),
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
        actor = Actor(ActorKind.PERSON, session.user_id, address, request_id_of(request))
        return Caller(session.store_id, standing.role, actor, session.id)
    key = await services.stores.authenticate(text)
    actor = Actor(ActorKind.API_KEY, key.id, address, request_id_of(request))
    return Caller(key.store_id, key.role, actor)


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
Creator = Annotated[Caller, Depends(allowed(Permission.CREATE))]
Programmer = Annotated[Caller, Depends(allowed(Permission.PROGRAM))]
Approver = Annotated[Caller, Depends(allowed(Permission.APPROVE))]
Canceller = Annotated[Caller, Depends(allowed(Permission.CANCEL))]
Stopper = Annotated[Caller, Depends(allowed(Permission.STOP))]
Resumer = Annotated[Caller, Depends(allowed(Permission.RESUME))]
Intervener = Annotated[Caller, Depends(allowed(Permission.INTERVENE))]
Resolver = Annotated[Caller, Depends(allowed(Permission.RESOLVE))]
