"""Rights on pages: whoever acts is asked for anew, and no way to act goes around that."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from tests.support.rules.source import Finding, Source, dotted

PAGES = "app/pages"
# These are the door itself.
DOORS = ("app/pages/visit", "app/pages/password_again")
ASKING = {"need", "session"}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def pages_act_as_whoever_may_now(source: Source) -> list[Finding]:
    """An actor comes from `await visit.need(...)` in the same function, never from before."""
    if not source.is_in(PAGES) or source.is_in("app/pages/visit"):
        return []
    awaited = {id(node): names for node, names in _awaited(source.tree)}
    return [
        source.finding(node, "an actor of before: take that of `await visit.need(...)`")
        for function, node in _actors(source.tree)
        if not (isinstance(node.value, ast.Name) and node.value.id in awaited[id(function)])
    ] + [
        source.finding(node, "a page makes no actor")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and dotted(node.func) == "Actor"
    ]


def sites_without(sources: Sequence[Source], known: Collection[str]) -> list[str]:
    """Return the functions of pages that ask for a right, and that no known act leads through.

    One that only hands on what it was given is covered where all that use it are known.
    """
    found = []
    for source in sources:
        if source.is_in(*DOORS):
            continue
        functions = dict(_functions(source.tree, source.module.rpartition(".")[2]))
        for name, function in functions.items():
            if any(_asks(node) for node in ast.walk(function)):
                found += [] if _is_known(name, functions, known) else [name]
    return found


def _is_known(name: str, functions: dict[str, _Function], known: Collection[str]) -> bool:
    short = name.rpartition(".")[2]
    users = [
        other
        for other, function in functions.items()
        if other != name
        and any(isinstance(n, ast.Attribute) and n.attr == short for n in ast.walk(function))
    ]
    if name in known and not users:
        return True
    is_handed_on = any(_hands_on(node) for node in ast.walk(functions[name]))
    if not is_handed_on:
        return name in known
    return bool(users) and all(_is_known(user, functions, known) for user in users)


def _hands_on(node: ast.AST) -> bool:
    """Tell whether a caller, or its actor, leaves the function that asked."""
    return (
        isinstance(node, ast.Return)
        and node.value is not None
        and any(
            _asks(each) or (isinstance(each, ast.Attribute) and each.attr == "actor")
            for each in ast.walk(node.value)
        )
    )


def _asks(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr in ASKING and dotted(node.func.value).endswith("visit")


def _functions(tree: ast.AST, above: str) -> Iterator[tuple[str, _Function]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{above}.{node.name}")
        elif isinstance(node, _Function):
            yield f"{above}.{node.name}", node


def _awaited(tree: ast.AST) -> Iterator[tuple[_Function, set[str]]]:
    """Yield each function, and the names that it gives to what it awaited."""
    for function in ast.walk(tree):
        if isinstance(function, _Function):
            yield (
                function,
                {
                    name.id
                    for node in ast.walk(function)
                    if isinstance(node, ast.Assign)
                    and any(isinstance(each, ast.Await) for each in ast.walk(node.value))
                    for target in node.targets
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                },
            )


def _actors(tree: ast.AST) -> Iterator[tuple[_Function, ast.Attribute]]:
    for function in ast.walk(tree):
        if isinstance(function, _Function):
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and node.attr == "actor":
                    yield function, node
