"""Serves the look to every page."""

from __future__ import annotations

import hashlib

from nicegui import app, ui
from starlette.requests import Request
from starlette.responses import Response

from components.theme import style_sheet

FOR_A_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}


def serve_style_sheet() -> str:
    """Link the style sheet from every page and return its address; called once, at start-up."""
    content = style_sheet()
    # The address changes with the content, so browsers may keep it as long as they like.
    address = f"/styles/{hashlib.sha256(content.encode()).hexdigest()[:16]}.css"

    async def styles(_request: Request) -> Response:
        return Response(content, media_type="text/css", headers=FOR_A_YEAR)

    app.add_route(address, styles)
    ui.add_head_html(f'<link rel="stylesheet" href="{address}">', shared=True)
    return address
