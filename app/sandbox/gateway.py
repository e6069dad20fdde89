"""`POST /graphql`: what stands before the API, the API itself, and what may befall its answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Final, TypeGuard

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType, execute
from starlette.types import Receive, Scope, Send

from app.sandbox.answers import (
    UNAVAILABLE,
    Answer,
    json_answer,
    key_limited,
    plain,
    refusal,
    unauthorized,
)
from app.sandbox.caller import BadCredential, Call, Caller, identify
from app.sandbox.documents import Document, Documents
from app.sandbox.faults import Fault, Subject
from app.sandbox.keys import DEFAULT_PER_MINUTE
from app.sandbox.limits import AddressLimiter, KeyLimiter
from app.sandbox.misfortune import meet
from app.sandbox.problems import shown_error
from app.sandbox.world import World
from app.sandbox.writer import LedgerBusy

MAX_BODY: Final = 262_144
_PER_MINUTE: Final = 60
_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Query:
    """One request's body, read."""

    text: str
    variables: dict[str, Any] | None
    operation_name: str | None


class Gateway:
    """An ASGI application for one path; everything it answers is JSON unless a fault says not."""

    def __init__(self, world: World, schema: GraphQLSchema) -> None:
        self._world = world
        self._schema = schema
        self._documents = Documents(schema)
        settings = world.settings
        self._addresses = AddressLimiter(_PER_MINUTE, settings.http_burst)
        self._key_limiter = KeyLimiter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = _without_body(scope["method"]) or await self._let_in(scope, receive)
        if answer is None:
            # The connection was cut on purpose: wait until the server has noticed, and leave.
            while (await receive())["type"] != "http.disconnect":
                continue
            return
        length = (b"content-length", str(len(answer.body)).encode())
        headers = [*answer.headers, length]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _let_in(self, scope: Scope, receive: Receive) -> Answer | None:
        """Pass what an ingress, a gateway and the limiters let through."""
        world = self._world
        address = (scope.get("client") or ("", 0))[0]
        if world.settings.pace and not self._addresses.allows(address, world.clock.now_ms()):
            return UNAVAILABLE
        body = await _read(receive)
        if body is None:
            return plain(413, "Request Entity Too Large")
        headers = dict(scope["headers"])
        if not _is_uuid(headers.get(b"x-idempotency-key")):
            return refusal("X-Idempotency-Key is not a UUID")
        try:
            caller = identify(world, headers)
        except BadCredential as bad:
            return unauthorized(bad.kind)
        query = _query(body)
        if query is None:
            return refusal("The request is not GraphQL over JSON")
        return self._limited(caller) or await self._meet_or_execute(query, caller, scope)

    def _limited(self, caller: Caller) -> Answer | None:
        """Turn away when the ledger has no room, or the key has used up its minute."""
        world = self._world
        if world.ledger.writer.is_full:
            return UNAVAILABLE
        if caller.key is None or not world.settings.pace:
            return None
        per_minute = caller.key.per_minute or DEFAULT_PER_MINUTE
        verdict = self._key_limiter.count(caller.key.key_id, per_minute, world.clock.now_ms())
        if verdict.is_allowed:
            return None
        return key_limited(verdict.retry_after_s, verdict.limit, verdict.remaining)

    async def _meet_or_execute(self, query: Query, caller: Caller, scope: Scope) -> Answer | None:
        if self._world.faults.wants("answer"):
            fault = self._fault(self._documents.read(query.text), query)
            if fault is not None:
                return await meet(self._world, fault, scope, lambda: self._execute(query, caller))
        return await self._execute(query, caller)

    async def _execute(self, query: Query, caller: Caller) -> Answer:
        document = self._documents.read(query.text)
        if document.errors:
            return json_answer({"errors": [shown_error(error) for error in document.errors]}, 400)
        operation = document.operation(query.operation_name)
        if operation is None or operation.operation is OperationType.SUBSCRIPTION:
            return refusal("Unable to identify operation")
        assert document.node is not None
        result = execute(
            self._schema,
            document.node,
            context_value=Call(self._world, caller),
            variable_values=query.variables,
            operation_name=query.operation_name,
            is_awaitable=_is_awaitable,
        )
        if not isinstance(result, ExecutionResult):
            result = await result
        return _shown(result)

    def _fault(self, document: Document, query: Query) -> Fault | None:
        """Return the fault that awaits this call, by what its first root field asks for."""
        operation = document.operation(query.operation_name)
        if operation is None:
            return None
        subject = subject_of(self._world, operation, query.variables or {})
        return self._world.faults.draw("answer", subject)


def subject_of(world: World, operation: Any, variables: dict[str, Any]) -> Subject:
    """Return what a fault may match in an operation whose input is one variable or literals."""
    field = next(iter(operation.selection_set.selections), None)
    name = getattr(getattr(field, "name", None), "value", None)
    given = _given(field, variables)
    request = given.get("paymentRequest")
    payment_hash = world.invoices.hash_of(request) if isinstance(request, str) else None
    wallet = given.get("walletId")
    return Subject(name, wallet if isinstance(wallet, str) else None, payment_hash)


def _given(field: Any, variables: dict[str, Any]) -> dict[str, Any]:
    """Return the members of the field's `input`, wherever they are written."""
    for argument in getattr(field, "arguments", None) or ():
        if argument.name.value != "input":
            continue
        value = _plain(argument.value, variables)
        return value if isinstance(value, dict) else {}
    return {}


def _plain(node: Any, variables: dict[str, Any]) -> Any:
    if node.kind == "variable":
        return variables.get(node.name.value)
    if node.kind == "object_value":
        return {each.name.value: _plain(each.value, variables) for each in node.fields}
    return getattr(node, "value", None)


def _is_awaitable(value: object) -> TypeGuard[Awaitable[Any]]:
    """Tell what must be awaited: resolvers here return plain values or coroutines."""
    return type(value) is CoroutineType


def _shown(result: ExecutionResult) -> Answer:
    if result.errors:
        for error in result.errors:
            if isinstance(error.original_error, LedgerBusy):
                return UNAVAILABLE
            if _is_ours(error):
                log.error("sandbox.resolver_failed", exc_info=error.original_error)
        errors = [shown_error(error) for error in result.errors]
        return json_answer({"errors": errors, "data": result.data})
    return json_answer({"data": result.data})


def _is_ours(error: GraphQLError) -> bool:
    """Tell whether an error is a mistake of the sandbox and not an answer to the caller."""
    original = error.original_error
    return original is not None and not isinstance(original, (GraphQLError, ValueError))


def _without_body(method: str) -> Answer | None:
    """Return what the path answers to anything but a POST."""
    if method == "POST":
        return None
    return plain(500, "") if method == "HEAD" else refusal("GraphQL is asked by POST")


def _is_uuid(header: bytes | None) -> bool:
    """Tell whether the header may pass; it is checked for its form and then not used."""
    return header is None or _UUID.fullmatch(header.decode("latin-1")) is not None


async def _read(receive: Receive) -> bytes | None:
    """Return the body, or nothing if it is too large."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
    return body


def _query(body: bytes) -> Query | None:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("query"), str):
        return None
    variables, name = given.get("variables"), given.get("operationName")
    if not isinstance(variables, (dict, type(None))) or not isinstance(name, (str, type(None))):
        return None
    return Query(given["query"], variables, name)
