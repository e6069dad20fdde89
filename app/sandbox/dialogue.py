"""One socket's conversation, from the handshake to the close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

import structlog
from graphql import ExecutionResult, GraphQLSchema, GraphQLSyntaxError, OperationType, subscribe
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from app.sandbox import protocol
from app.sandbox.caller import CAPABILITY, Call, Caller, account_of
from app.sandbox.documents import Document, Documents
from app.sandbox.faults import Subject
from app.sandbox.protocol import Close, Message
from app.sandbox.world import World

MAX_STREAMS: Final = 1_000
_BEARER_LENGTH: Final = len("Bearer ")

log = structlog.get_logger(__name__)


class Dialogue:
    """Speaks the protocol over one connection; who is calling is settled once, at the start."""

    def __init__(
        self,
        world: World,
        schema: GraphQLSchema,
        documents: Documents,
        connection: ServerConnection,
    ) -> None:
        self._world = world
        self._schema = schema
        self._documents = documents
        self._connection = connection
        self._caller: Caller | None = None
        self._has_init = False
        self._streams: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Talk until either side has had enough."""
        if self._connection.subprotocol != protocol.SUBPROTOCOL:
            await self._connection.close(*protocol.NOT_ACCEPTABLE)
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(self._wait_for_init()),
                    tasks.create_task(self._beat()),
                ]
                try:
                    await self._listen(tasks)
                finally:
                    for task in (*beside, *self._streams.values()):
                        task.cancel()
        except* ConnectionClosed:
            # The other side is gone, and with it everything it followed.
            pass
        except* Close as closes:
            first = closes.exceptions[0]
            assert isinstance(first, Close)
            await self._connection.close(first.code, first.reason)
        except* Exception:
            log.exception("sandbox.socket_failed")
            await self._connection.close(protocol.INTERNAL_ERROR, "Internal server error")

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        async for frame in self._connection:
            message = Message.read(frame)
            match message.type:
                case "connection_init":
                    if self._has_init:
                        raise Close(*protocol.TOO_MANY_INITS)
                    self._has_init = True
                    tasks.create_task(self._acknowledge(message.payload or {}))
                case "ping":
                    await self._send(Message("pong", payload=message.payload))
                case "pong":
                    continue
                case "subscribe":
                    self._subscribe(message, tasks)
                case "complete":
                    stream = self._streams.pop(message.id or "", None)
                    if stream is not None:
                        stream.cancel()
                case _:
                    text = f"Unexpected message of type {message.type} received"
                    raise Close(protocol.INTERNAL_ERROR, text)

    async def _wait_for_init(self) -> None:
        await asyncio.sleep(self._world.settings.init_timeout_ms * 0.001)
        if not self._has_init:
            raise Close(*protocol.INIT_TIMEOUT)

    async def _beat(self) -> None:
        """Ping, and drop the connection without a close frame when the last pong is missing."""
        period_s = self._world.settings.ping_period_ms * 0.001
        while True:
            await asyncio.sleep(period_s)
            pong = await self._connection.ping()
            try:
                await asyncio.wait_for(pong, period_s)
            except TimeoutError:
                self._connection.transport.abort()
                return

    async def _acknowledge(self, payload: dict[str, Any]) -> None:
        """Work out who is calling; a token that is no good is acknowledged all the same."""
        world = self._world
        authorization = payload.get("Authorization")
        account = None
        if isinstance(authorization, str):
            account = account_of(world, authorization[_BEARER_LENGTH:])
        subject = Subject("connection_init")
        if world.faults.wants("init"):
            for fault in world.faults.draw_all("init", subject):
                if fault.kind == "auth_hiccup":
                    account = None
                await world.timetable.sleep(fault.params.get("delay_ms", 0))
        self._caller = Caller(account, sees_usdt=self._sees_usdt(payload))
        await self._send(Message("connection_ack"))

    def _sees_usdt(self, payload: dict[str, Any]) -> bool:
        name = "X-Flash-Client-Capabilities"
        request = self._connection.request
        header = "" if request is None else request.headers.get(name, "")
        given = payload.get(name, payload.get(name.lower(), ""))
        return CAPABILITY in header or (isinstance(given, str) and CAPABILITY in given)

    def _subscribe(self, message: Message, tasks: asyncio.TaskGroup) -> None:
        if self._caller is None:
            raise Close(*protocol.UNAUTHORIZED)
        name = message.id or ""
        if name in self._streams:
            raise Close(4409, f"Subscriber for {name} already exists")
        if len(self._streams) >= MAX_STREAMS:
            raise Close(protocol.INTERNAL_ERROR, "Too many subscriptions")
        document = self._documents.read(message.payload["query"])
        if document.errors and isinstance(document.errors[0], GraphQLSyntaxError):
            # The server parses before it answers for the operation, so the socket goes.
            raise Close(protocol.INTERNAL_ERROR, document.errors[0].message[:120])
        call = Call(self._world, self._caller)
        stream = tasks.create_task(self._stream(name, document, message.payload, call))
        self._streams[name] = stream

    async def _stream(self, name: str, document: Document, payload: Any, call: Call) -> None:
        """Send one subscription's events, then complete; only then its id is free again."""
        errors = _wrong(document, payload.get("operationName"))
        if errors:
            self._streams.pop(name, None)
            await self._send(Message("error", name, errors))
            return
        assert document.node is not None
        source = subscribe(
            self._schema,
            document.node,
            context_value=call,
            variable_values=payload.get("variables"),
            operation_name=payload.get("operationName"),
        )
        if not isinstance(source, (AsyncIterator, ExecutionResult)):
            source = await source
        if isinstance(source, ExecutionResult):
            await self._send(Message("next", name, source.formatted))
        else:
            try:
                async for result in source:
                    await self._send(Message("next", name, result.formatted))
            finally:
                await _close(source)
        self._streams.pop(name, None)
        await self._send(Message("complete", name))

    async def _send(self, message: Message) -> None:
        await self._connection.send(message.frame())


async def _close(source: AsyncIterator[Any]) -> None:
    """End a stream, so that what it follows is let go of at once."""
    if isinstance(source, AsyncGenerator):
        await source.aclose()


def _wrong(document: Document, operation_name: str | None) -> list[Any]:
    """Return what an `error` frame says instead of a stream, if anything."""
    operation = document.operation(operation_name)
    if operation is None:
        return [{"message": "Unable to identify operation"}]
    if operation.operation is not OperationType.SUBSCRIPTION:
        return [{"message": "Only subscription operations are supported"}]
    return [error.formatted for error in document.errors]
