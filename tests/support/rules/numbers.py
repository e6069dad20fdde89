"""Money is integers: no true division and no float, where linters cannot see it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.rules.source import Finding, Source

MONEY_LAYERS = ("models", "services")
# Join two paths that are both in variables; joining a literal needs no entry here.
PATH_FILES: tuple[str, ...] = ()
# Reckon in seconds, never in money.
SECONDS_FILES = ("services/flash/pace.py",)
# Speaks as Flash does, whose numbers are floats.
FLASH_TWIN = "app/sandbox"
MONEY_NAME = re.compile(r".*_(?:msat|sats?|cents|nanousd)|(?:.*_)?(?:amount|fee|budget)s?")


def nothing_is_divided_with_a_slash(source: Source) -> list[Finding]:
    """Money and counts are divided with `//` and a named direction."""
    if source.layer not in MONEY_LAYERS or source.is_in(*PATH_FILES, *SECONDS_FILES):
        return []
    return [
        source.finding(node, "true division; use // with a named direction")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.BinOp | ast.AugAssign)
        and isinstance(node.op, ast.Div)
        and not any(map(_is_text, _operands(node)))
    ]


def _operands(node: ast.BinOp | ast.AugAssign) -> tuple[ast.expr, ast.expr]:
    return (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)


def _is_text(node: ast.expr) -> bool:
    """Only a path can be divided by a text; `a / "b" / c` is one too."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return any(map(_is_text, _operands(node)))
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def money_is_never_a_float(source: Source) -> list[Finding]:
    """Nothing becomes a float in models and services, and no money is declared one."""
    made = [
        source.finding(node, "float() in a layer that handles money")
        for node in ast.walk(source.tree)
        if source.layer in MONEY_LAYERS
        and not source.is_in(*SECONDS_FILES)
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
    ]
    declared = [
        source.finding(node, f"{name} is money and declared a float")
        for name, annotation, node in _declarations(source.tree)
        if not source.is_in(FLASH_TWIN) and MONEY_NAME.fullmatch(name) and _names_float(annotation)
    ]
    return made + declared


def _declarations(tree: ast.Module) -> Iterator[tuple[str, ast.expr, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation:
            yield node.arg, node.annotation, node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.annotation, node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.name, node.returns, node


def _names_float(annotation: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "float" for node in ast.walk(annotation))
