"""Tasks, the time and the log: calls that have one place or one form."""

from __future__ import annotations

import ast
import re

from tests.support.rules.source import Finding, Source, dotted

TASK_STARTERS = ("create_task", "ensure_future")
TASK_PLACES = ("services/supervisor", "app/live", "app/sandbox")

CLOCKS = ("services/clock", "app/sandbox/clock")
TIME_READERS = re.compile(
    r"(?:.*\.)?(?:datetime\.(?:now|utcnow|today)|date\.today|time\.(?:time|time_ns))"
)

LOGGER = re.compile(r"(?:.*[._])?log(?:ger)?(?:\.bind|\.new)*")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def only_the_supervisor_starts_tasks(source: Source) -> list[Finding]:
    """A task belongs to a group that watches it; a bare one can vanish with its error."""
    if source.is_in(*TASK_PLACES):
        return []
    groups = _task_groups(source.tree)
    return [
        source.finding(node, f"{dotted(node.func)} outside {', '.join(TASK_PLACES)}")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and dotted(node.func).split(".")[-1] in TASK_STARTERS
        and dotted(node.func).rpartition(".")[0] not in groups
    ]


def _task_groups(tree: ast.Module) -> set[str]:
    """Return the names that `async with asyncio.TaskGroup() as name` gives."""
    return {
        dotted(item.optional_vars)
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if item.optional_vars and dotted(item.context_expr).endswith("TaskGroup")
    }


def only_the_clock_reads_the_time(source: Source) -> list[Finding]:
    """The time of day comes from the injected clock, even as a default factory."""
    if source.is_in(*CLOCKS):
        return []
    read = [
        source.finding(node, f"{dotted(node)} outside the clock")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and TIME_READERS.fullmatch(dotted(node))
    ]
    imported = [
        source.finding(node, f"{name} outside the clock")
        for name, node in source.imports()
        if name in {"time.time", "time.time_ns"}
    ]
    return read + imported


def logs_take_fields_and_no_formatted_text(source: Source) -> list[Finding]:
    """An event has a constant name, and fields for the rest."""
    return [
        source.finding(node, "a log call takes formatted text")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and LOGGER.fullmatch(dotted(node.func.value))
        and any(map(_is_formatted, [*node.args, *(word.value for word in node.keywords)]))
    ]


def _is_formatted(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and isinstance(node.func.value, ast.Constant)
    )
