"""Tokens for people who script as themselves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field, StrictStr
from starlette.responses import Response

from app.answers import json_answer
from app.auth import Services
from app.http.shapes.shape import answers
from app.http.shapes.token import PairShape, RevokedShape
from app.http.strict import Strict
from app.sessions import origin_of
from services.tokens import Pair

router = APIRouter(tags=["tokens"])


class SignInBody(Strict):
    """Who one is; the code is needed where an authenticator is used.

    Whoever has a role in several stores names the one to act in; else it is the first.
    """

    email: Annotated[StrictStr, Field(min_length=1, max_length=320)]
    password: Annotated[StrictStr, Field(min_length=1, max_length=1000)]
    totp: Annotated[StrictStr, Field(max_length=40)] | None = None
    store_id: Annotated[StrictStr, Field(max_length=64)] | None = None


class RefreshBody(Strict):
    """The refresh token that came last."""

    refresh_token: Annotated[StrictStr, Field(min_length=1, max_length=500)]


@router.post("/auth/token", status_code=201, **answers(PairShape, 201))
async def begin(request: Request, services: Services, body: SignInBody) -> Response:
    """Return an access token for a quarter of an hour, and a refresh token that works once."""
    pair = await services.doors.tokens.begin(
        body.email, body.password, body.totp, origin_of(request), body.store_id
    )
    return json_answer(_shown(pair), 201)


@router.post("/auth/refresh", status_code=201, **answers(PairShape, 201))
async def refresh(request: Request, services: Services, body: RefreshBody) -> Response:
    """Return the next pair; a refresh token that comes twice ends all of its family."""
    pair = await services.doors.tokens.refresh(body.refresh_token, origin_of(request))
    return json_answer(_shown(pair), 201)


@router.post("/auth/revoke", **answers(RevokedShape))
async def revoke(request: Request, services: Services, body: RefreshBody) -> Response:
    """End the family of a refresh token."""
    await services.doors.tokens.revoke(body.refresh_token, origin_of(request))
    return json_answer({"revoked": True})


def _shown(pair: Pair) -> dict[str, Any]:
    return {
        "access_token": pair.access,
        "token_type": "Bearer",
        "expires_in": pair.access_life_s,
        "refresh_token": pair.refresh,
        "store_id": pair.session.store_id,
    }
