"""Who looks at a page: the demo's visitor, or whoever signed in with a password."""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from app.auth import Caller, container_of
from app.container import Container
from app.request import request_id_of
from models.instants import from_seconds, to_seconds
from models.store import Actor, ActorKind, DatabaseKind, Role

COOKIE = "fp_session"
SESSION_LIFE = timedelta(hours=8)
_FORM_LIMIT = 4096
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Sign in</title><style>
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;
display:grid;place-items:center;background:light-dark(#f6f7f9,#0c0f14);
color:light-dark(#11151c,#eef1f6)}form{width:min(20rem,90vw);display:grid;gap:.75rem}
h1{font-size:1.2rem;margin:0 0 .5rem}label{display:grid;gap:.25rem;font-weight:550}
input{font:inherit;padding:.55rem .7rem;border-radius:8px;
border:1px solid light-dark(#d3d8e0,#313a49);
background:light-dark(#fff,#12161d);color:inherit}button{font:inherit;font-weight:600;padding:.6rem;
border:0;border-radius:8px;background:light-dark(#11151c,#eef1f6);color:light-dark(#fff,#0c0f14)}
p{color:light-dark(#b42318,#ff8b80);margin:0}</style></head><body>
<form method="post" action="/login"><h1>Flash Payouts</h1>@@
<label>E-mail<input name="email" type="email" autocomplete="username" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required>
</label><button>Sign in</button></form></body></html>"""


async def caller_of_page(request: Request, container: Container) -> Caller | None:
    """Return who looks at a page, or nothing if they have to sign in first."""
    address = request.client.host if request.client else None
    if container.kind is DatabaseKind.DEMO:
        # The demo answers on this machine only; on those terms its visitor is the owner.
        stores = await container.stores.all()
        if not stores:
            return None
        actor = Actor(ActorKind.PERSON, "demo", address, request_id_of(request))
        return Caller(stores[0].id, Role.OWNER, actor)
    user_id = _read_cookie(container, request.cookies.get(COOKIE, ""))
    if user_id is None:
        return None
    found = await container.stores.role_of(user_id)
    if found is None:
        return None
    store_id, role = found
    return Caller(store_id, role, Actor(ActorKind.PERSON, user_id, address, request_id_of(request)))


async def show_login(_request: Request) -> Response:
    """Show the form."""
    return HTMLResponse(_PAGE.replace("@@", ""), headers={"Cache-Control": "no-store"})


async def take_login(request: Request) -> Response:
    """Check e-mail and password; the answer does not say which was wrong."""
    container = container_of(request)
    form = await request.form(max_fields=8, max_part_size=_FORM_LIMIT)
    email, password = str(form.get("email", "")), str(form.get("password", ""))
    found = await container.stores.password_of(email.strip().lower())
    is_right = await run_in_threadpool(_verify, None if found is None else found[1], password)
    if found is None or not is_right:
        page = _PAGE.replace("@@", "<p role=alert>E-mail or password is not right.</p>")
        return HTMLResponse(page, 401, headers={"Cache-Control": "no-store"})
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        COOKIE,
        _write_cookie(container, found[0]),
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        secure=container.settings.base_url.startswith("https://"),
        samesite="lax",
    )
    return answer


def routes() -> list[BaseRoute]:
    """Return the routes of signing in."""
    return [
        Route("/login", show_login, methods=["GET"]),
        Route("/login", take_login, methods=["POST"]),
    ]


_DUMMY = PasswordHasher().hash("nobody has this password")


def _verify(password_hash: str | None, password: str) -> bool:
    """Take as long for an unknown person as for a known one."""
    try:
        PasswordHasher().verify(password_hash or _DUMMY, password)
    except (Argon2Error, InvalidHashError):
        return False
    return password_hash is not None


def _write_cookie(container: Container, user_id: str) -> str:
    until = to_seconds(container.clock.utc_now() + SESSION_LIFE)
    body = f"session:{user_id}:{until}".encode()
    return base64.urlsafe_b64encode(container.vault.sign(body) + body).decode()


def _read_cookie(container: Container, text: str) -> str | None:
    try:
        raw = base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        return None
    signature, body = raw[:16], raw[16:]
    if not hmac.compare_digest(container.vault.sign(body), signature):
        return None
    _, user_id, until = body.decode().split(":")
    return user_id if from_seconds(int(until)) > container.clock.utc_now() else None
