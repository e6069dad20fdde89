"""Parsed and validated GraphQL documents, remembered, since callers send the same few."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    validate,
)

MAX_COMPLEXITY: Final = 200
MAX_TOKENS: Final = 4_000
_REMEMBERED: Final = 500
_HEAVY: Final = 120
_HEAVY_FIELDS: Final = frozenset(
    {
        "transactionDetails",
        "lnInvoicePaymentSend",
        "lnNoAmountUsdInvoicePaymentSend",
        "lnNoAmountInvoicePaymentSend",
        "lnurlPaymentSend",
        "intraLedgerUsdPaymentSend",
        "intraLedgerPaymentSend",
        "onChainUsdPaymentSend",
        "onChainPaymentSendAll",
        "onChainPaymentSend",
        "onChainUsdPaymentSendAsBtcDenominated",
        "lnUsdInvoiceFeeProbe",
        "lnNoAmountUsdInvoiceFeeProbe",
        "lnInvoiceFeeProbe",
        "lnNoAmountInvoiceFeeProbe",
    }
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document, and what is wrong with it if it cannot be run."""

    node: DocumentNode | None
    errors: tuple[GraphQLError, ...]

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation that is to run: the named one, or the only one."""
        definitions = () if self.node is None else self.node.definitions
        operations = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
        if name is None:
            return operations[0] if len(operations) == 1 else None
        return next((o for o in operations if o.name is not None and o.name.value == name), None)


class Documents:
    """Parses and validates each text once; the least used are forgotten."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Document] = OrderedDict()

    def read(self, text: str) -> Document:
        """Return the document of a text."""
        document = self._known.get(text)
        if document is None:
            document = self._read(text)
            self._known[text] = document
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(text)
        return document

    def _read(self, text: str) -> Document:
        try:
            node = parse(text, max_lexical_tokens=MAX_TOKENS)
        except GraphQLSyntaxError as error:
            return Document(None, (error,))
        errors = validate(self._schema, node, max_errors=20)
        if not errors:
            cost = _document_cost(node)
            if cost > MAX_COMPLEXITY:
                text = f"The query exceeds the maximum cost of {MAX_COMPLEXITY}."
                errors = [GraphQLError(f"{text} Actual cost is {cost}")]
        return Document(node, tuple(errors))


def _document_cost(node: DocumentNode) -> int:
    fragments = {d.name.value: d for d in node.definitions if isinstance(d, FragmentDefinitionNode)}
    operations = (d for d in node.definitions if isinstance(d, OperationDefinitionNode))
    return max((_cost(o.selection_set, fragments, _HEAVY) for o in operations), default=0)


def _cost(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], heavy: int
) -> int:
    """Add up fields, of which only root fields can be heavy; introspection is free of charge.

    Validation has already excluded fragments that contain themselves.
    """
    total = 0
    for selection in selections.selections:
        match selection:
            case FieldNode() if not selection.name.value.startswith("__"):
                total += heavy if selection.name.value in _HEAVY_FIELDS else 1
                if selection.selection_set is not None:
                    total += _cost(selection.selection_set, fragments, 1)
            case InlineFragmentNode():
                total += _cost(selection.selection_set, fragments, heavy)
            case FragmentSpreadNode():
                fragment = fragments.get(selection.name.value)
                if fragment is not None:
                    total += _cost(fragment.selection_set, fragments, heavy)
            case _:
                continue
        if total > MAX_COMPLEXITY * MAX_COMPLEXITY:
            # Nested fragments can multiply without end; it is far too much already.
            return total
    return total
