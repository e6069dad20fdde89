"""Errors, as every route tells them (RFC 9457)."""

from __future__ import annotations

from typing import Literal

from app.http.shapes.shape import Shape


class FieldErrorShape(Shape):
    """What is wrong with one field, parameter or header."""

    field: str
    message: str


class ProblemShape(Shape):
    """An error; quote the request id if you ask about it."""

    type: Literal["about:blank"]
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldErrorShape]
    request_id: str
