"""Structured logs that never carry a secret: what may not be shown is dropped by name."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from app.settings import LogFormat

SECRET_FIELDS = frozenset(
    {
        "p",
        "c",
        "k1",
        "pr",
        "pin",
        "token",
        "claim_token",
        "key",
        "api_key",
        "secret",
        "password",
        "preimage",
        "invoice",
        "destination",
        "authorization",
        "url",
        "uid",
    }
)
HIDDEN = "[hidden]"
# What would end a line, colour a terminal, or turn its reading direction around.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Libraries that would write whole messages, credentials included, below warning level.
_QUIET = ("gql", "websockets", "httpx", "httpcore", "aiohttp", "asyncio", "uvicorn", "engineio")


def hide_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of every field whose name says that it is a secret."""
    for name in event:
        if name.lower() in SECRET_FIELDS:
            event[name] = HIDDEN
    return event


def keep_in_line(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Write out what could make a field look like a line of its own: words come from outside."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = f"    {_indented(value)}" if name == "exception" else _written_out(value)
    return event


def _written_out(text: str) -> str:
    return _CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)


def _indented(text: str) -> str:
    return "\n    ".join(map(_written_out, text.split("\n")))


class _InLine(logging.Formatter):
    """What libraries say, with nothing in it that looks like a line of somebody else's."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what follows it is indented."""
        return _indented(super().format(record))


def configure_logs(log_format: LogFormat) -> None:
    """Set up our own logs and quieten the libraries'; lines go to standard error."""
    renderer: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if log_format is LogFormat.JSON:
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_secrets,
            keep_in_line,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    said = logging.StreamHandler(sys.stderr)
    said.setFormatter(_InLine("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[said])
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("gql").setLevel(logging.ERROR)
