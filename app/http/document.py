"""The description of the API: who may call, and every error that a route may answer with.

FastAPI writes what it sees in a route; what holds for all of them stands here once.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from app.http.shapes.problem import ProblemShape

_ABOUT = """Pay people out over Lightning from a Flash wallet.

Amounts are whole numbers with the unit in the name; null means not known. Times are UTC with
milliseconds; in a question they may have any offset, or be a date in the store's zone. Unknown
fields and parameters are refused."""
_REFS = "#/components/schemas/{model}"
_REQUEST_ID = {
    "description": "Names this request, in our log too.",
    "schema": {"type": "string"},
}
_RETRY = {
    "description": "After how many seconds to ask again.",
    "schema": {"type": "integer", "minimum": 1},
}
_WAYS_IN = {"description": "How to say who asks.", "schema": {"const": "Bearer"}}
_WORDS = {
    401: "Nobody is named, or nobody known.",
    403: "The role does not allow this.",
    404: "There is no such thing in this store.",
    408: "The body came too slowly.",
    409: "It is not in a state for this, or a limit is reached.",
    413: "The body is too large.",
    414: "The address is too long.",
    422: "A field or parameter is missing, unknown or not right.",
    429: "Too much was asked for.",
    431: "There are too many header fields, or they are too large.",
    500: "Something went wrong here; it is in our log.",
    503: "A part that is needed does not answer; ask again.",
}
_ALWAYS = (401, 414, 422, 429, 431, 500, 503)
_WITH_BODY = (404, 408, 409, 413)


class DescribedApi(FastAPI):
    """An application whose description is complete."""

    def openapi(self) -> dict[str, Any]:
        """Return the description; it is made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    parts = document["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["schemas"]["ProblemShape"] = ProblemShape.model_json_schema(ref_template=_REFS)
    parts["schemas"] |= parts["schemas"]["ProblemShape"].pop("$defs")
    bearer = "An API key, or the access token of a person."
    parts["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    parts["securitySchemes"]["bearer"]["description"] = bearer
    parts["responses"] = {f"Error{status}": _error(status) for status in _WORDS}
    document["info"]["description"] = _ABOUT
    document["security"] = [{"bearer": []}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path, method)
    return document


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    is_open = path.startswith("/v1/auth/")
    if is_open:
        operation["security"] = []
    statuses = {*_ALWAYS} if is_open else {*_ALWAYS, 403}
    if "{" in path:
        statuses.add(404)
    if method != "get":
        statuses |= {*_WITH_BODY}
    told = operation["responses"]
    told.pop("422", None)
    for answer in told.values():
        answer.setdefault("headers", {})["X-Request-Id"] = _REQUEST_ID
    for status in sorted(statuses):
        told[str(status)] = {"$ref": f"#/components/responses/Error{status}"}


def _error(status: int) -> dict[str, Any]:
    headers = {"X-Request-Id": _REQUEST_ID}
    match status:
        case 401:
            headers["WWW-Authenticate"] = _WAYS_IN
        case 429:
            headers["Retry-After"] = _RETRY
        case _:
            pass
    schema = {"$ref": _REFS.format(model="ProblemShape")}
    return {
        "description": _WORDS[status],
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema}},
    }
