"""What the tree of errors is called outside: problem+json for HTTP, one line for LNURL."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.answers import json_answer
from app.request import request_id_of
from models.errors import (
    ConflictError,
    DuplicateRow,
    Forbidden,
    GatewayError,
    IdempotencyMismatch,
    InvalidField,
    LimitReached,
    NotFoundError,
    RateLimited,
    RuleError,
    SecondFactorNeeded,
    ServiceError,
    StateChanged,
    Unauthenticated,
    UnavailableError,
)

_log = structlog.get_logger(__name__)

INTERNAL = "Something went wrong here; quote the request id if you ask about it."
_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    422: "Invalid",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
# The first class that fits decides; the tree's leaves come before its branches.
_STATUS: tuple[tuple[type[ServiceError], int, str], ...] = (
    (Unauthenticated, 401, "unauthenticated"),
    (SecondFactorNeeded, 401, "second_factor_needed"),
    (Forbidden, 403, "forbidden"),
    (RateLimited, 429, "rate_limited"),
    (IdempotencyMismatch, 422, "idempotency_mismatch"),
    (LimitReached, 409, "limit_reached"),
    (StateChanged, 409, "state_changed"),
    (DuplicateRow, 409, "state_changed"),
    (ConflictError, 409, "state_changed"),
    (NotFoundError, 404, "not_found"),
    (UnavailableError, 503, "unavailable"),
    (GatewayError, 503, "unavailable"),
    (RuleError, 422, "invalid"),
)


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return an answer of `application/problem+json` (RFC 9457)."""
    body = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "errors": errors or [],
        "request_id": request_id_of(request),
    }
    return json_answer(body, status, media_type="application/problem+json", headers=headers)


def of_service_error(request: Request, error: ServiceError) -> Response:
    """Translate an error of ours."""
    errors = None
    if isinstance(error, InvalidField):
        errors = [{"field": error.field, "message": error.message}]
    headers = None
    if isinstance(error, RateLimited):
        headers = {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, Unauthenticated):
        headers = {"WWW-Authenticate": "Bearer"}
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return problem(request, status, code, error.message, errors, headers)
    return problem(request, 500, "internal", INTERNAL)


def of_validation(request: Request, error: RequestValidationError) -> Response:
    """Translate what FastAPI found wrong; the values themselves are not repeated."""
    errors = [_field_error(found) for found in error.errors()]
    first = errors[0]
    return problem(request, 422, "invalid", f"{first['field']}: {first['message']}", errors)


def _field_error(found: dict[str, Any]) -> dict[str, str]:
    place = [str(part) for part in found["loc"] if part not in {"body", "query", "path", "header"}]
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        message = "this field is not known"
    if found["type"] == "missing":
        message = "this field is required"
    if found["type"] == "json_invalid":
        return {"field": "body", "message": "this is not valid JSON"}
    return {"field": ".".join(place) or "body", "message": message}


def lnurl_reason(error: ServiceError) -> str:
    """Return what a cashier reads."""
    return error.message


def install(app: FastAPI) -> None:
    """Have every error of a route translated here."""

    @app.exception_handler(ServiceError)
    async def _ours(request: Request, error: ServiceError) -> Response:
        return of_service_error(request, error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        return of_validation(request, error)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # noqa: PLR2004  # what FastAPI says of a body it cannot parse
            errors = [{"field": "body", "message": "this cannot be read"}]
            return problem(request, 422, "invalid", "body: this cannot be read", errors)
        codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
        code = codes.get(error.status_code, "invalid")
        headers = dict(error.headers or {})
        return problem(request, error.status_code, code, str(error.detail), headers=headers)
