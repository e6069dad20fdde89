"""Plain pages with one form: no script, a token against forged posts, the strictest policy."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.auth import container_of
from app.http.strict import is_keepable
from app.origin import is_own_origin
from app.sessions import cookie_name, set_cookie
from models.errors import Forbidden, InvalidField

FORM_COOKIE = "fp_form"
FIELD_LIMIT = 4096
FIELDS = 12
_COOKIE_LIFE_S = 12 * 3600
_STYLE = (
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:0;"
    "min-height:100vh;display:grid;place-items:center;background:light-dark(#f6f7f9,#0c0f14);"
    "color:light-dark(#11151c,#eef1f6)}form{width:min(20rem,90vw);display:grid;gap:.75rem;"
    "padding:2rem 0}h1{font-size:1.2rem;margin:0 0 .5rem}"
    "label{display:grid;gap:.25rem;font-weight:550}"
    "input,select{font:inherit;padding:.55rem .7rem;border-radius:8px;"
    "border:1px solid light-dark(#d3d8e0,#313a49);background:light-dark(#fff,#12161d);"
    "color:inherit}button{font:inherit;font-weight:600;padding:.6rem;border:0;border-radius:8px;"
    "background:light-dark(#11151c,#eef1f6);color:light-dark(#fff,#0c0f14)}"
    "p{margin:0;color:light-dark(#5a6472,#9aa4b2)}"
    "[role=alert]{color:light-dark(#b42318,#ff8b80)}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "off"
    value: str = ""
    is_needed: bool = True
    hint: str = ""
    choices: tuple[str, ...] = ()
    # What choices are called, where that is more than what they are.
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A page: what it asks, and where the answers go."""

    title: str
    action: str
    button: str
    fields: tuple[Field, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    text: str = ""


def show_form(
    request: Request,
    form: Form,
    error: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a page with a form; its token fits the cookie that goes with it."""
    container = container_of(request)
    given = request.cookies.get(cookie_name(container, FORM_COOKIE), "")
    seed = given if _is_seed(given) else secrets.token_urlsafe(24)
    hidden = (*form.hidden, ("form", _token(request, seed)))
    body = "".join(
        (
            f"<h1>{_safe(form.title)}</h1>",
            f"<p>{_safe(form.text)}</p>" if form.text else "",
            f"<p role=alert>{_safe(error)}</p>" if error else "",
            *(f'<input type="hidden" name="{n}" value="{_safe(v)}">' for n, v in hidden),
            *(_line(field, is_first=place == 0) for place, field in enumerate(form.fields)),
            f"<button>{_safe(form.button)}</button>",
        )
    )
    page = _page(form.title, f'<form method="post" action="{_safe(form.action)}">{body}</form>')
    answer = HTMLResponse(page, status, headers=_headers() | dict(headers or {}))
    if seed != given:
        set_cookie(answer, container, FORM_COOKIE, seed, _COOKIE_LIFE_S)
    return answer


def show_words(title: str, text: str, status: int = 200) -> Response:
    """Return a page that only says something."""
    body = f"<form><h1>{_safe(title)}</h1><p>{_safe(text)}</p></form>"
    return HTMLResponse(_page(title, body), status, headers=_headers())


async def read_form(request: Request) -> dict[str, str]:
    """Return what was filled in, if it was our own form that was sent.

    A browser always says where a form comes from; a program that says nothing has no cookie of
    somebody else to misuse, so it needs no token.

    Raises:
        Forbidden: It comes from another site, or without the token of our form.
        InvalidField: A field that no database could keep.
    """
    container = container_of(request)
    found = await request.form(max_files=0, max_fields=FIELDS, max_part_size=FIELD_LIMIT)
    fields = {name: value for name, value in found.items() if isinstance(value, str)}
    for name, value in fields.items():
        if len(value) > FIELD_LIMIT or not is_keepable(name + value):
            raise InvalidField(name[:50], "this cannot be kept")
    said = ("origin", "sec-fetch-site", "referer", "cookie")
    if not any(name in request.headers for name in said):
        return fields
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in {"same-origin", "none"} or not is_own_origin(request, container):
        raise Forbidden("This form was sent from another site.")
    seed = request.cookies.get(cookie_name(container, FORM_COOKIE), "")
    token = _token(request, seed).encode()
    if not _is_seed(seed) or not hmac.compare_digest(token, fields.get("form", "").encode()):
        raise Forbidden("This form was open for too long; send it again.")
    return fields


def _token(request: Request, seed: str) -> str:
    return container_of(request).vault.find_hash("form", seed.encode())


def _is_seed(text: str) -> bool:
    return len(text) == 32 and text.isascii()  # noqa: PLR2004  # 24 bytes in base 64


def _line(field: Field, *, is_first: bool) -> str:
    hint = f"<p>{_safe(field.hint)}</p>" if field.hint else ""
    if field.choices:
        options = "".join(
            f'<option value="{_safe(choice)}"{" selected" if choice == field.value else ""}>'
            f"{_safe(name)}</option>"
            for choice, name in zip(field.choices, field.names or field.choices, strict=True)
        )
        chosen = f'<select name="{field.name}">{options}</select>'
        return f"<label>{_safe(field.label)}{chosen}</label>{hint}"
    marks = (" required" if field.is_needed else "") + (" autofocus" if is_first else "")
    value = f' value="{_safe(field.value)}"' if field.value else ""
    entry = (
        f'<input name="{field.name}" type="{field.type}" '
        f'autocomplete="{field.autocomplete}"{value}{marks}>'
    )
    return f"<label>{_safe(field.label)}{entry}</label>{hint}"


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def _headers() -> dict[str, str]:
    # A browser that is told to send no referrer says that its form is of no origin either.
    policies = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
    return {"Cache-Control": "no-store"} | policies


def _safe(text: str) -> str:
    return html.escape(text, quote=True)
