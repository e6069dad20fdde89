"""Tokens of people who script as themselves."""

from __future__ import annotations

from typing import Literal

from app.http.shapes.shape import Shape


class PairShape(Shape):
    """An access token, and the refresh token that gets the next pair, once."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str
    store_id: str


class RevokedShape(Shape):
    """That a family of tokens is over."""

    revoked: Literal[True]
