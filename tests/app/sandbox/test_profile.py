"""The year before: a schema without keys, USDT and details, and whole cents."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from app.sandbox.server import open_sandbox
from app.sandbox.settings import SandboxSettings
from tests.app.sandbox.actors import SEND, Merchant, foreign

OLD_SEND = (
    "mutation S($input: LnInvoicePaymentInput!) { lnInvoicePaymentSend(input: $input) { status } }"
)


@pytest.fixture
def older(settings: SandboxSettings) -> SandboxSettings:
    return replace(settings, profile="2025-08")


@pytest.mark.parametrize(
    "query",
    [
        "{ apiKeys { id } }",
        "{ cashWalletCutover { state } }",
        '{ transactionDetails(input: {transactionId: "x"}) { errors { message } } }',
        "{ me { defaultAccount { wallets { isExternal } } } }",
        "{ me { defaultAccount { wallets { ... on UsdtWallet { id } } } } }",
        'mutation { apiKeyCreate(input: {name: "abc"}) { errors { code } } }',
    ],
)
async def test_what_came_later_is_a_validation_error(
    older: SandboxSettings, http: httpx.AsyncClient, query: str
) -> None:
    async with open_sandbox(older) as sandbox:
        answer = await Merchant(http, sandbox).raw(query)

    assert answer.status_code == 400


async def test_a_key_is_an_unknown_field_and_nothing_is_executed(
    older: SandboxSettings, http: httpx.AsyncClient
) -> None:
    async with open_sandbox(older) as sandbox:
        merchant = Merchant(http, sandbox)
        invoice = foreign()
        with_key = await merchant.ask(SEND, merchant.input(invoice.pr, idempotencyKey="k"))
        without = await merchant.data(OLD_SEND, merchant.input(invoice.pr))

    assert "idempotencyKey" in with_key["errors"][0]["message"]
    assert without["lnInvoicePaymentSend"]["status"] == "SUCCESS"


async def test_the_balance_is_in_whole_cents_of_a_usd_wallet(
    older: SandboxSettings, http: httpx.AsyncClient
) -> None:
    async with open_sandbox(older) as sandbox:
        merchant = Merchant(http, sandbox)
        await merchant.data(OLD_SEND, merchant.input(foreign(1_500).pr))
        data = await merchant.data(
            "{ me { defaultAccount { wallets { walletCurrency balance } } } }"
        )

    (wallet,) = data["me"]["defaultAccount"]["wallets"]
    assert wallet == {"walletCurrency": "USD", "balance": 999_999}
    assert isinstance(wallet["balance"], int)
