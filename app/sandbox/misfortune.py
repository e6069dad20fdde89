"""What befalls an answer when a fault is armed for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.types import Scope

from app.sandbox import answers
from app.sandbox.answers import Answer
from app.sandbox.faults import Fault
from app.sandbox.world import World

TRANSPORT: Final = "flash_sandbox.transport"
"""Where the HTTP server leaves the connection, so that it can be cut."""

_KEY_LIMIT: Final = 120

Execute = Callable[[], Awaitable[Answer]]


async def meet(world: World, fault: Fault, scope: Scope, execute: Execute) -> Answer | None:
    """Answer as the fault says; nothing means that the connection was cut."""
    params = fault.params
    match fault.kind:
        case "http_401":
            return answers.unauthorized("token")
        case "ingress_503":
            return answers.UNAVAILABLE
        case "http_429":
            return answers.too_many(params["retry_after_s"])
        case "key_limited":
            return answers.key_limited(params["retry_after_s"], _KEY_LIMIT, 0)
        case "slow_answer":
            answer = await execute()
            await world.timetable.sleep(params["delay_ms"])
            return answer
        case "http_504":
            if params["executed"]:
                # The gateway gives up; the call behind it runs on.
                world.spawn(_finish(execute))
            await world.timetable.sleep(params["delay_ms"])
            return answers.plain(504, "upstream request timeout")
        case _:
            answer = await execute() if params["executed"] else answers.plain(500, "")
            return _spoilt(fault, scope, answer)


async def _finish(execute: Execute) -> None:
    await execute()


def _spoilt(fault: Fault, scope: Scope, answer: Answer) -> Answer | None:
    """Replace or cut an answer that was made, or that stands for none."""
    match fault.kind:
        case "response_lost":
            scope[TRANSPORT].abort()
            return None
        case "http_502":
            return answers.plain(502, "Bad Gateway")
        case "http_500":
            return answers.plain(500, "Internal Server Error")
        case "html_body":
            return answers.page(fault.params["status"], "Something went wrong")
        case "invalid_json":
            body = answer.body or b'{"data": {"me": '
            return Answer(200, body[: max(1, len(body) // 2)])
        case _:
            raise ValueError(f"{fault.kind} is not a fault of answers")
