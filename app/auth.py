"""Who calls, and whether they may: asked at every act, on screens and over HTTP alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from app.container import Container
from app.http.strict import check_query
from app.request import request_id_of
from models.errors import Forbidden, Unauthenticated
from models.permission import ALLOWED, ASKS_AGAIN, SCOPES, Permission, Scopes, kept_scopes
from models.session import Session
from models.store import Actor, ActorKind, Role
from services.sessions import Origin
from services.stores import KEY_PREFIX


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls: the one store they act in, and as what."""

    store_id: str
    role: Role
    actor: Actor
    session: Session | None = None
    # To what a key is narrowed; nothing: to no less than its role.
    scopes: Scopes | None = None

    @property
    def session_id(self) -> str | None:
        """Return the session of a person; keys and the demo's visitor have none."""
        return None if self.session is None else self.session.id

    @property
    def person_id(self) -> str:
        """Return whose own things they may look after; empty for a key."""
        return (self.actor.id or "") if self.actor.kind is ActorKind.PERSON else ""

    def may(self, permission: Permission) -> bool:
        """Tell whether the role allows something, and of a key its scopes too."""
        is_within = self.scopes is None or permission in self.scopes
        return is_within and self.role in ALLOWED[permission]

    def need(self, permission: Permission) -> None:
        """Refuse what the role, or the scopes of a key, do not allow.

        Raises:
            Forbidden: They do not allow it.
        """
        if self.may(permission):
            return
        if self.role in ALLOWED[permission]:
            raise Forbidden(f"This key needs the scope {permission.word}.")
        raise Forbidden(f"The role {self.role} does not allow this.")

    def need_fresh(self, now: datetime) -> None:
        """Refuse a person who gave their password too long ago.

        Raises:
            Forbidden: It was too long ago.
        """
        if self.session is not None and not self.session.is_fresh(now):
            raise Forbidden("This asks for your password again: sign in anew, and repeat it.")

    def may_grant(self, role: Role, scopes: Scopes | None = None) -> bool:
        """Tell whether a role, or some scopes of it, allows nothing that the caller's does not."""
        return all(
            self.may(each)
            for each in Permission
            if role in ALLOWED[each] and (scopes is None or each in scopes)
        )

    def need_grant(self, role: Role, scopes: Scopes | None = None) -> None:
        """Refuse to hand out more than the caller has.

        Raises:
            Forbidden: The role, or the scopes that a key of it is narrowed to, would allow more.
        """
        if not self.may_grant(role, scopes):
            raise Forbidden(f"The role {self.role} cannot hand out the role {role}.")

    def narrowed(self, role: Role) -> Scopes | None:
        """Return to what a key of a role has to be narrowed to allow no more than the caller."""
        if self.may_grant(role):
            return None
        return frozenset(each for each in SCOPES if role in ALLOWED[each] and self.may(each))


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
    address, agent = request.client, request.headers.get("user-agent")
    origin = Origin(address.host if address else None, agent, request_id_of(request))
    if not text.startswith(KEY_PREFIX):
        standing = await services.doors.tokens.standing(text)
        session = standing.session
        request.app.state.allowance.of_key(session.id, request.scope)
        actor = origin.person(session.user_id, session.id)
        return Caller(session.store_id, standing.role, actor, session)
    key = await services.stores.authenticate(text)
    request.app.state.allowance.of_key(key.id, request.scope)
    actor = origin.api_key(key.id)
    return Caller(key.store_id, key.role, actor, scopes=kept_scopes(key.scopes))


async def right_now(
    caller: Caller, container: Container, permission: Permission, *, again: bool | None = None
) -> Caller:
    """Return who acts, as of now: a page may have been open since before a right was lost.

    Whether the password must have been given lately stands in the table; `again` says otherwise.

    Raises:
        Forbidden: The role does not allow it, or the password was given too long ago.
        Unauthenticated: The session is over.
    """
    if caller.session_id is not None:
        standing = await container.doors.sessions.read(caller.session_id)
        if standing is None or standing.session.store_id != caller.store_id:
            raise Unauthenticated("Sign in again.")
        caller = replace(caller, role=standing.role, session=standing.session)
    caller.need(permission)
    if permission in ASKS_AGAIN if again is None else again:
        caller.need_fresh(container.clock.utc_now())
    return caller


def allowed(permission: Permission) -> Callable[[Request], Awaitable[Caller]]:
    """Return the dependency of a route that needs a permission."""

    async def dependency(request: Request) -> Caller:
        caller = await caller_of(request)
        caller.need(permission)
        if permission in ASKS_AGAIN:
            caller.need_fresh(container_of(request).clock.utc_now())
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
