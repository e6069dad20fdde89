"""Whatever words reach a log, each entry stays one line that says what it is."""

from __future__ import annotations

import logging

import pytest
import structlog

from app.logs import _InLine, hide_secrets, keep_in_line

FORGED = "x\n2026-11-21T12:00:00Z [info] payout.settled\r\x1b[2K\x1b[31m\u2028\u202e\x9b2J\x00"


def rendered(**fields: str) -> str:
    event = keep_in_line(None, "", hide_secrets(None, "", {"event": "flash.silent", **fields}))
    return structlog.dev.ConsoleRenderer(colors=False)(None, "", event)


def test_words_from_outside_make_no_line_of_their_own() -> None:
    line = rendered(detail=FORGED, reason=FORGED)

    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert "payout.settled" in line


def test_what_follows_an_exception_is_indented() -> None:
    said = rendered(exception=f"Traceback:\n  File x\nValueError: {FORGED}")
    record = logging.LogRecord("gql", logging.ERROR, "x", 1, "bad: %s", (FORGED,), None)
    by_library = _InLine("%(name)s: %(message)s").format(record)

    for text in (said, by_library):
        first, *more = text.strip().split("\n")
        assert more
        assert all(line.startswith("    ") for line in more)
        assert all(line.isprintable() for line in (first, *more))


@pytest.mark.parametrize("name", ["token", "pr", "K1", "url", "Authorization"])
def test_a_secret_is_hidden_by_its_name(name: str) -> None:
    assert "hush" not in rendered(**{name: "hush"})
