"""Structured logs that never carry a secret: what may not be shown is dropped by name."""

from __future__ import annotations

import logging
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
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("gql").setLevel(logging.ERROR)
