"""What NiceGUI's own page is changed in: scripts carry the answer's nonce, 404 builds no page."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import ChoiceLoader, DictLoader
from nicegui import app as nicegui_app
from nicegui import client as nicegui_client
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_SCRIPT = re.compile(r"<script(?=[\s>])(?![^>]*\snonce=)")
_PAGE = "index.html"
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
    return PlainTextResponse("There is nothing here.\n", 404, headers={"Cache-Control": "no-store"})
