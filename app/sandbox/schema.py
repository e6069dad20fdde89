"""The executable schema: Flash's own SDL, with the sandbox's resolvers on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    build_ast_schema,
    parse,
    parse_type,
)

from app.sandbox.accounts import Wallet
from app.sandbox.caller import Call
from app.sandbox.fields import ROOTS, SUBSCRIBERS, TYPES, Root
from app.sandbox.problems import not_in_sandbox
from app.sandbox.scalars import ScalarFault, attach_scalars
from app.sandbox.settings import Profile

_Info = GraphQLResolveInfo[Any]

SDL: Final = "flash-public-schema.graphql"
"""Shipped verbatim; see the licence note beside it."""

_LATER_ROOTS: Final = frozenset(
    {
        "apiKeyCreate",
        "apiKeyRotate",
        "apiKeyRevoke",
        "apiKeys",
        "lnurlPaymentSend",
        "transactionDetails",
        "cashWalletCutover",
    }
)
_LATER_TYPES: Final = frozenset({"UsdtWallet"})


def sdl() -> str:
    """Return the schema's text as Flash publishes it."""
    return files("app.sandbox").joinpath(SDL).read_text(encoding="utf-8")


@cache
def build(profile: Profile) -> GraphQLSchema:
    """Return the schema of a profile, ready to execute; it holds no state, so one is enough."""
    document = parse(sdl(), no_location=True)
    if profile == "2025-08":
        document = _as_of_august_2025(document)
    schema = build_ast_schema(document, assume_valid=True)
    attach_scalars(schema)
    for kind in (schema.query_type, schema.mutation_type):
        if kind is not None:
            _attach_roots(kind)
    _attach_types(schema)
    if schema.subscription_type is not None:
        _attach_subscriptions(schema.subscription_type)
    return schema


def _attach_roots(kind: GraphQLObjectType) -> None:
    for name, field in kind.fields.items():
        root = ROOTS.get(name)
        field.resolve = _missing(name) if root is None else _guarded(root)


def _guarded(root: Root) -> Callable[..., Any]:
    """Check who asks and what they pass before a root field is resolved."""

    def resolve(_source: Any, info: _Info, **args: Any) -> Any:
        call: Call = info.context
        if root.needs_account:
            call.caller.require()
            call.caller.require_scope(root.scope)
        given = args.get("input", args)
        if isinstance(given, dict):
            for value in given.values():
                if isinstance(value, ScalarFault):
                    if given is args:
                        raise ValueError(value.message)
                    return {"errors": [{"message": value.message}]}
        return root.resolve(call, **args)

    return resolve


def _missing(name: str) -> Callable[..., Any]:
    def resolve(_source: Any, _info: _Info, **_args: Any) -> Any:
        raise not_in_sandbox(name)

    return resolve


def _attach_types(schema: GraphQLSchema) -> None:
    for (type_name, field_name), resolver in TYPES.items():
        kind = schema.type_map.get(type_name)
        if isinstance(kind, GraphQLObjectType) and field_name in kind.fields:
            kind.fields[field_name].resolve = _with_call(resolver)
    for kind in schema.type_map.values():
        if isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
            kind.resolve_type = _type_of(kind.name)


def _with_call(resolver: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(source: Any, info: _Info, **args: Any) -> Any:
        return resolver(source, info.context, **args)

    return resolve


def _type_of(abstract: str) -> Callable[..., str | None]:
    """Return which concrete type a value has; `__typename` says so where it is not obvious."""
    fixed = {"Error": "GraphQLApplicationError", "Account": "ConsumerAccount"}.get(abstract)

    def resolve(value: Any, _info: _Info, _type: Any) -> str | None:
        if fixed is not None:
            return fixed
        if isinstance(value, dict):
            return cast("str | None", value.get("__typename"))
        if isinstance(value, Wallet):
            return "UsdtWallet" if value.currency == "USDT" else "UsdWallet"
        return None

    return resolve


def _attach_subscriptions(kind: GraphQLObjectType) -> None:
    for name, field in kind.fields.items():
        field.resolve = lambda event, _info, **_args: event
        subscriber = SUBSCRIBERS.get(name)
        field.subscribe = _missing(name) if subscriber is None else _with_source(subscriber)


def _with_source(subscriber: Callable[..., Any]) -> Callable[..., Any]:
    def subscribe(_source: Any, info: _Info, **args: Any) -> Any:
        return subscriber(info.context, **args)

    return subscribe


def _as_of_august_2025(document: DocumentNode) -> DocumentNode:
    """Take away what Flash's schema did not have a year before."""
    definitions = [_older(d) for d in document.definitions if _name(d) not in _LATER_TYPES]
    return DocumentNode(definitions=tuple(definitions))


def _older(definition: Any) -> Any:
    match definition:
        case EnumTypeDefinitionNode() if _name(definition) == "WalletCurrency":
            kept = [v for v in definition.values or () if v.name.value != "USDT"]
            return _with(definition, values=tuple(kept))
        case InputObjectTypeDefinitionNode():
            fields = [f for f in definition.fields or () if _name(f) != "idempotencyKey"]
            return _with(definition, fields=tuple(fields))
        case ObjectTypeDefinitionNode() if _name(definition) in ("Query", "Mutation"):
            fields_ = [f for f in definition.fields or () if _name(f) not in _LATER_ROOTS]
            return _with(definition, fields=tuple(fields_))
        case _ if _name(definition) in ("Wallet", "BTCWallet", "UsdWallet"):
            older = [_older_wallet(f) for f in definition.fields if _name(f) != "isExternal"]
            return _with(definition, fields=tuple(older))
        case _:
            return definition


def _older_wallet(field: FieldDefinitionNode) -> FieldDefinitionNode:
    if _name(field) != "balance":
        return field
    return cast("FieldDefinitionNode", _with(field, type=parse_type("SignedAmount!")))


def _with(node: Any, **changes: Any) -> Any:
    return replace(node, **changes)


def _name(node: Any) -> str | None:
    name = getattr(node, "name", None)
    return None if name is None else str(name.value)
