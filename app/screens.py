"""What NiceGUI's own page is changed in: scripts carry the answer's nonce, errors build no page."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import ChoiceLoader, DictLoader
from nicegui import app as nicegui_app
from nicegui import client as nicegui_client
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.request import request_id_of
from models.errors import UnavailableError

_SCRIPT = re.compile(r"<script(?=[\s>])(?![^>]*\snonce=)")
_PAGE = "index.html"
_NOT_KEPT = {"Cache-Control": "no-store"}
_FILTERED = ("head_html", "body_html")


def secure_screens() -> None:
    """Have every script of a page carry the nonce, and unknown paths answer in plain text."""
    environment = nicegui_client.templates.env
    if "nonced" not in environment.filters:
        loader = environment.loader
        assert loader is not None
        source, _, _ = loader.get_source(environment, _PAGE)
        environment.filters["nonced"] = _nonced
        environment.globals["nonce_of"] = _nonce_of
        changed = DictLoader({_PAGE: _with_nonces(source)})
        environment.loader = ChoiceLoader([changed, loader])
        if environment.cache is not None:
            environment.cache.clear()
    nicegui_app.exception_handler(404)(_not_found)
    nicegui_app.exception_handler(Exception)(_failed)


def _with_nonces(source: str) -> str:
    source = _SCRIPT.sub('<script nonce="{{ nonce_of(request) }}"', source)
    for name in _FILTERED:
        before = f"{{{{ {name} | safe }}}}"
        assert before in source, "NiceGUI's page has changed"
        source = source.replace(before, f"{{{{ {name} | nonced(nonce_of(request)) | safe }}}}")
    return source


def _nonced(html: str, nonce: str) -> str:
    return _SCRIPT.sub(f'<script nonce="{nonce}"', html)


def _nonce_of(request: Request) -> str:
    return str(request.scope.get("nonce", ""))


async def _not_found(_request: Request, _error: Any) -> Response:
    return PlainTextResponse("There is nothing here.\n", 404, headers=_NOT_KEPT)


async def _failed(request: Request, error: Exception) -> Response:
    """Say nothing of what went wrong inside; the outermost layer writes it down."""
    text, status = "Something went wrong here.", 500
    if isinstance(error, UnavailableError):
        text, status = "This cannot be shown right now; try again shortly.", 503
    text = f"{text} Quote {request_id_of(request)} if you ask about it.\n"
    return PlainTextResponse(text, status, headers=_NOT_KEPT)
