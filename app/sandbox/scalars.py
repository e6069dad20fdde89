"""Flash's scalars: a bad value is not refused but carried on, for the payload to complain about."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from graphql import (
    FloatValueNode,
    GraphQLScalarType,
    GraphQLSchema,
    IntValueNode,
    ValueNode,
    value_from_ast_untyped,
)

_MAX_AMOUNT: Final = 10**13
_MAX_MEMO_BYTES: Final = 639
_REQUEST: Final = re.compile(r"ln[a-z0-9]+", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX_32: Final = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_USERNAME: Final = re.compile(r"(?!1|3|bc1|lnbc1)\w{3,50}", re.IGNORECASE)
_CURRENCY_LENGTHS: Final = (3, 4)

Parse = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ScalarFault:
    """What a scalar turns into when its value is no good."""

    message: str


def _invalid(name: str) -> ScalarFault:
    return ScalarFault(f"Invalid value for {name}")


def _number(value: Any) -> float | None:
    """Return a finite number; texts are accepted as JSON clients send them."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _fractional_cents(value: Any) -> Any:
    number = _number(value)
    if number is None or abs(number) > _MAX_AMOUNT:
        return _invalid("FractionalCentAmount")
    return number


def _sats(value: Any) -> Any:
    number = _number(value)
    if number is None or not 0 <= number <= _MAX_AMOUNT:
        return _invalid("SatAmount")
    return int(number)


def _whole(name: str, value: Any) -> Any:
    number = _number(value)
    return _invalid(name) if number is None or number < 0 else int(number)


def _wallet_id(value: Any) -> Any:
    if not isinstance(value, str):
        return ScalarFault("Invalid type for WalletId")
    return value.lower() if _UUID.fullmatch(value) else _NO_WALLET


def _memo(value: Any) -> Any:
    if not isinstance(value, str):
        return ScalarFault("Invalid type for Memo")
    return value if len(value.encode()) <= _MAX_MEMO_BYTES else ScalarFault("Memo is too long")


def _matching(name: str, shape: re.Pattern[str], value: Any) -> Any:
    if not isinstance(value, str):
        return ScalarFault(f"Invalid type for {name}")
    return value if shape.fullmatch(value) else _invalid(name)


def _username(value: Any) -> Any:
    found = _matching("Username", _USERNAME, value)
    return found.lower() if isinstance(found, str) else found


def _currency(value: Any) -> Any:
    if not isinstance(value, str) or len(value) not in _CURRENCY_LENGTHS:
        return _invalid("DisplayCurrency")
    return value.upper()


def _url(value: Any) -> Any:
    parts = urlsplit(value) if isinstance(value, str) else None
    return value if parts and parts.scheme and parts.netloc else _invalid("EndpointUrl")


_NO_WALLET: Final = _invalid("WalletId")
_PARSERS: Final[dict[str, Parse]] = {
    "FractionalCentAmount": _fractional_cents,
    "SatAmount": _sats,
    "CentAmount": partial(_whole, "CentAmount"),
    "Minutes": partial(_whole, "Minutes"),
    "Seconds": partial(_whole, "Seconds"),
    "WalletId": _wallet_id,
    "Memo": _memo,
    "LnPaymentRequest": partial(_matching, "LnPaymentRequest", _REQUEST),
    "PaymentHash": partial(_matching, "PaymentHash", _HEX_32),
    "LnPaymentPreImage": partial(_matching, "LnPaymentPreImage", _HEX_32),
    "Hex32Bytes": partial(_matching, "Hex32Bytes", _HEX_32),
    "OnChainTxHash": partial(_matching, "OnChainTxHash", _HEX_32),
    "Username": _username,
    "DisplayCurrency": _currency,
    "EndpointUrl": _url,
}
_NUMBERS: Final = frozenset(
    {"FractionalCentAmount", "SatAmount", "CentAmount", "Minutes", "Seconds", "USDCents"}
)


def attach_scalars(schema: GraphQLSchema) -> None:
    """Give the schema's scalars their parsers; output is passed on as it is."""
    for name, parse in _PARSERS.items():
        scalar = schema.type_map.get(name)
        if isinstance(scalar, GraphQLScalarType):
            scalar.coerce_input_value = parse
            scalar.coerce_input_literal = partial(_literal, name, parse)


def _literal(name: str, parse: Parse, node: ValueNode) -> Any:
    """Read a value written in the query; amounts must be written as numbers there."""
    if name in _NUMBERS and not isinstance(node, (IntValueNode, FloatValueNode)):
        return ScalarFault(f"Invalid type for {name}")
    return parse(value_from_ast_untyped(node))
