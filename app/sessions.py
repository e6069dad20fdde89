"""Who looks at a page: the demo's visitor, or whoever's session the cookie names."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from app.auth import Caller
from app.container import Container
from app.request import request_id_of
from models.session import Session
from models.store import DatabaseKind, Role
from services.sessions import Origin, Standing

COOKIE = "fp_session"
TOKEN_LIMIT = 100


async def caller_of_page(request: Request, container: Container) -> Caller | None:
    """Return who looks at a page, or nothing if they have to sign in first."""
    if container.kind is DatabaseKind.DEMO:
        # The demo answers on this machine only; on those terms its visitor is the owner.
        stores = await container.stores.all()
        if not stores:
            return None
        return Caller(stores[0].id, Role.OWNER, origin_of(request).person("demo"))
    standing = await standing_of(request, container)
    if standing is None:
        return None
    caller = caller_of_standing(standing, origin_of(request))
    # The socket of this page is let in only with the same session.
    request.state.caller = caller
    return caller


async def standing_of(connection: HTTPConnection, container: Container) -> Standing | None:
    """Return the live session that a request or socket shows, if it shows one."""
    if "standing" not in connection.scope:
        token = token_of(connection.cookies, container)
        found = None if token is None else await container.doors.sessions.find(token)
        # Doors and pages of the same request ask once.
        connection.scope["standing"] = found
    standing = connection.scope["standing"]
    assert standing is None or isinstance(standing, Standing)
    return standing


def caller_of_standing(standing: Standing, origin: Origin) -> Caller:
    """Return the caller that a session stands for."""
    session = standing.session
    actor = origin.person(session.user_id, session.id)
    return Caller(session.store_id, standing.role, actor, session)


def origin_of(request: Request) -> Origin:
    """Return where a request comes from."""
    return Origin(address_of(request), request.headers.get("user-agent"), request_id_of(request))


def address_of(request: HTTPConnection) -> str | None:
    """Return the network address; a proxy's word counts only if the settings trust it."""
    return request.client.host if request.client else None


def cookie_name(container: Container, name: str = COOKIE) -> str:
    """Return a cookie's name; over TLS its prefix keeps other hosts from setting it."""
    return f"__Host-{name}" if _is_secure(container) else name


def token_of(cookies: Mapping[str, str], container: Container) -> str | None:
    """Return the secret that a browser shows."""
    token = cookies.get(cookie_name(container), "")
    return token if 0 < len(token) <= TOKEN_LIMIT else None


def set_session(response: Response, container: Container, session: Session, token: str) -> None:
    """Hand a browser its session."""
    life = session.expires_at - session.created_at
    set_cookie(response, container, COOKIE, token, int(life.total_seconds()))


def set_cookie(
    response: Response, container: Container, name: str, value: str, max_age: int
) -> None:
    """Set a cookie that no script reads and no other site sends along."""
    response.set_cookie(
        cookie_name(container, name),
        value,
        max_age=max_age,
        httponly=True,
        secure=_is_secure(container),
        samesite="lax",
    )


def drop_session(response: Response, container: Container) -> None:
    """Have a browser forget its session."""
    set_cookie(response, container, COOKIE, "", 0)


def _is_secure(container: Container) -> bool:
    return container.settings.base_url.startswith("https://")
