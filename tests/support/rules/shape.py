"""Names, sizes, docstrings and error codes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.support.rules.source import Finding, Source

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MIGRATIONS = "models/migrations"
NOT_A_NOUN = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
DOCUMENTED_LAYERS = ("models", "services")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files_are_named_after_one_noun(source: Source) -> list[Finding]:
    """A name that fits anything collects everything."""
    return [
        source.finding(1, f"{part!r} says nothing about what is inside")
        for part in PurePosixPath(source.path).with_suffix("").parts
        if part in NOT_A_NOUN or part.rpartition("_")[2] in NOT_A_NOUN
    ]


def files_are_short(source: Source) -> list[Finding]:
    """A file can be read in one sitting."""
    lines = len(source.text.splitlines())
    if lines <= MAX_FILE_LINES or source.is_in(MIGRATIONS):
        return []
    return [source.finding(lines, f"{lines} lines, of {MAX_FILE_LINES} at most")]


def functions_are_short(source: Source) -> list[Finding]:
    """A function can be read without scrolling."""
    if source.is_in(MIGRATIONS):
        return []
    return [
        source.finding(node, f"{node.name} has {lines} lines, of {MAX_FUNCTION_LINES} at most")
        for node in ast.walk(source.tree)
        if isinstance(node, Function)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]


def public_names_have_docstrings(source: Source) -> list[Finding]:
    """Whoever calls models and services can read how, where it stands."""
    if source.layer not in DOCUMENTED_LAYERS or source.is_in(MIGRATIONS):
        return []
    return [
        source.finding(node, f"{name} has no docstring")
        for name, node in _public(source.tree, source.module)
        if not ast.get_docstring(node)
    ]


def _public(
    node: ast.Module | ast.ClassDef, name: str
) -> Iterator[tuple[str, ast.Module | ast.ClassDef | Function]]:
    """Yield a module or class and the public classes and functions directly in it."""
    yield name, node
    for child in node.body:
        if isinstance(child, Function | ast.ClassDef) and not child.name.startswith("_"):
            full = f"{name}.{child.name}"
            if isinstance(child, ast.ClassDef):
                yield from _public(child, full)
            elif not any(getattr(mark, "id", "") == "overload" for mark in child.decorator_list):
                yield full, child


def error_codes_are_unique(source: Source) -> list[Finding]:
    """A client that reads a code knows which error it was."""
    if source.path != "models/errors.py":
        return []
    owners: dict[str, str] = {}
    findings = []
    for owner, code, node in _codes(source.tree):
        if code in owners:
            findings.append(source.finding(node, f"{owner} and {owners[code]} are both {code!r}"))
        owners.setdefault(code, owner)
    return findings


def _codes(tree: ast.Module) -> Iterator[tuple[str, str, ast.stmt]]:
    """Yield the codes that classes set themselves, `code = …` or `code: … = …`."""
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for node in owner.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", 0)]
            value = getattr(node, "value", None)
            if isinstance(value, ast.Constant) and any(
                isinstance(target, ast.Name) and target.id == "code" for target in targets
            ):
                yield owner.name, str(value.value), node
