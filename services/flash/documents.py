"""The GraphQL documents, parsed and printed once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gql import GraphQLRequest, gql

ME = gql("""
query Me {
  me { defaultAccount { id defaultWalletId wallets { id walletCurrency balance isExternal } } }
}
""")
# For servers of before the USDT wallets, which do not know `isExternal`.
ME_PLAIN = gql("""
query Me {
  me { defaultAccount { id defaultWalletId wallets { id walletCurrency balance } } }
}
""")
SEND = gql("""
mutation Pay($input: LnInvoicePaymentInput!) {
  lnInvoicePaymentSend(input: $input) { status errors { message code } }
}
""")
SEND_NO_AMOUNT_USD = gql("""
mutation Pay($input: LnNoAmountUsdInvoicePaymentInput!) {
  lnNoAmountUsdInvoicePaymentSend(input: $input) { status errors { message code } }
}
""")
SEND_NO_AMOUNT_BTC = gql("""
mutation Pay($input: LnNoAmountInvoicePaymentInput!) {
  lnNoAmountInvoicePaymentSend(input: $input) { status errors { message code } }
}
""")
PROBE_NO_AMOUNT = gql("""
mutation Probe($input: LnNoAmountUsdInvoiceFeeProbeInput!) {
  lnNoAmountUsdInvoiceFeeProbe(input: $input) { amount errors { message code } }
}
""")
PROBE = gql("""
mutation Probe($input: LnUsdInvoiceFeeProbeInput!) {
  lnUsdInvoiceFeeProbe(input: $input) { amount errors { message code } }
}
""")
PRICE = gql("""
query Price($currency: DisplayCurrency) {
  realtimePrice(currency: $currency) { timestamp btcSatPrice { base offset } }
}
""")
CURRENCIES = gql("query Currencies { currencyList { id name symbol fractionDigits } }")
TRANSACTIONS = gql("""
query Statement($first: Int, $wallets: [WalletId]) {
  me { defaultAccount { transactions(first: $first, walletIds: $wallets) { edges { node {
    id direction createdAt settlementDisplayAmount settlementDisplayFee
  } } } } }
}
""")
ALL_TRANSACTIONS = gql("""
query AllRows($wallets: [WalletId!]!) {
  me { defaultAccount { csvTransactions(walletIds: $wallets) } }
}
""")
DETAILS = gql("""
query Details($input: TransactionDetailsInput!) {
  transactionDetails(input: $input) {
    errors { message } transactionDetails { id status fee }
  }
}
""")
WATCH_STATUS = gql("""
subscription Status($input: LnInvoicePaymentStatusInput!) {
  lnInvoicePaymentStatus(input: $input) { status errors { message code } }
}
""")
WATCH_PRICE = gql("""
subscription Price($input: RealtimePriceInput!) {
  realtimePrice(input: $input) {
    errors { message } realtimePrice { timestamp btcSatPrice { base offset } }
  }
}
""")
WATCH_UPDATES = gql("""
subscription Updates {
  myUpdates {
    errors { message code }
    update { __typename ... on LnUpdate { paymentHash status walletId } }
  }
}
""")


class _Printed(GraphQLRequest):
    """A request with its document's text; the library prints the tree anew for each request."""

    @property
    def payload(self) -> dict[str, Any]:
        """Return what goes on the wire."""
        return {"query": _text(self.source), "variables": self.variable_values}

    def __init__(self, source: GraphQLRequest, variables: dict[str, Any]) -> None:
        super().__init__(source, variable_values=variables)
        self.source = source


def name_of(request: GraphQLRequest) -> str:
    """Return what a request is called: the field of a mutation, the name of a query."""
    operation: Any = request.document.definitions[0]
    is_mutation = operation.operation.value == "mutation"
    named = operation.selection_set.selections[0] if is_mutation else operation
    return str(named.name.value)


@lru_cache(maxsize=32)
def _text(document: GraphQLRequest) -> str:
    text: str = document.payload["query"]
    return text


def with_input(document: GraphQLRequest, **fields: object) -> GraphQLRequest:
    """Return a request for a document whose one variable is `input`."""
    return _Printed(document, {"input": fields})


def statuses(invoices: Sequence[str]) -> GraphQLRequest:
    """Return a request for the statuses of some invoices, each under a name of its own."""
    variables = {f"v{number}": {"paymentRequest": each} for number, each in enumerate(invoices)}
    return _Printed(_statuses(len(invoices)), variables)


def status_field(number: int) -> str:
    """Return under which name the status of the invoice at that place is answered."""
    return f"s{number}"


@lru_cache(maxsize=32)
def _statuses(count: int) -> GraphQLRequest:
    inputs = ", ".join(f"$v{number}: LnInvoicePaymentStatusInput!" for number in range(count))
    fields = "\n".join(
        f"{status_field(number)}: lnInvoicePaymentStatus(input: $v{number}) "
        "{ status errors { message code } }"
        for number in range(count)
    )
    return gql(f"query Status({inputs}) {{ {fields} }}")
