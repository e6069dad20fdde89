"""What anybody may ask without signing in, and a few shapes of the signed-in user."""

from __future__ import annotations

import httpx
import pytest

from app.sandbox import schema
from app.sandbox.server import Sandbox
from services import bolt11, lnurl
from tests.app.sandbox.actors import CAPABLE, Hand, Merchant, Socket, socket

ME = """{ me { id email { address } phone language createdAt totpEnabled npub username
  contacts { id } bankAccounts { bankName } defaultAccount { id displayCurrency level
  ... on ConsumerAccount { statusHeadline capabilities { verified } quiz { id } }
  callbackEndpoints { id } limits { withdrawal { interval totalLimit remainingLimit } }
  notificationSettings { push { enabled disabledCategories } }
  realtimePrice { denominatorCurrency }
  wallets { id accountId isExternal pendingIncomingBalance lnurlp walletCurrency
    transactionsByAddress(address: "bc1q") { edges { cursor } } } } } }"""
PRICE = """query P($currency: DisplayCurrency) { realtimePrice(currency: $currency) {
  id timestamp denominatorCurrency btcSatPrice { base offset } usdCentPrice { base offset } } }"""
WALLET = """query W($name: Username!, $currency: WalletCurrency) {
  accountDefaultWallet(username: $name, walletCurrency: $currency) {
  id walletCurrency lnurlp } }"""


async def test_the_signed_in_user_can_be_asked_for_everything(
    merchant: Merchant, sandbox: Sandbox
) -> None:
    me = (await merchant.data(ME))["me"]

    (wallet,) = me["defaultAccount"]["wallets"]
    assert (wallet["isExternal"], wallet["pendingIncomingBalance"]) == (False, 0)
    assert lnurl.decode(
        wallet["lnurlp"], outbound_allow=(sandbox.world.origin.removeprefix("http://"),)
    ) == (f"{sandbox.world.origin}/.well-known/lnurlp/merchant")
    assert me["defaultAccount"]["limits"]["withdrawal"][0]["interval"] == 86_400


@pytest.mark.parametrize(
    ("currency", "sat_base", "cent_base"),
    [
        (None, 10**11, 10**6),
        ("usd", 10**11, 10**6),
        # A dollar buys 158.50 JMD, 151.2 yen without minor units, 0.307 dinars of a thousand.
        ("JMD", 15_850_000_000_000, 158_500_000),
        ("JPY", 151_200_000_000, 1_512_000),
        ("KWD", 307_000_000_000, 3_070_000),
    ],
)
async def test_a_price_is_in_minor_units_of_its_currency(
    merchant: Merchant, currency: str | None, sat_base: int, cent_base: int
) -> None:
    variables = {} if currency is None else {"currency": currency}

    price = (await merchant.data(PRICE, variables, headers={}))["realtimePrice"]

    assert price["btcSatPrice"] == {"base": sat_base, "offset": 12}
    assert price["usdCentPrice"] == {"base": cent_base, "offset": 6}


@pytest.mark.parametrize("currency", ["XXX", "DOLLARS"])
async def test_there_is_no_price_in_other_currencies(merchant: Merchant, currency: str) -> None:
    answer = await merchant.ask(PRICE, {"currency": currency}, headers={})

    assert answer["data"] is None
    assert answer["errors"][0]["path"] == ["realtimePrice"]


async def test_the_older_price_and_the_currencies_are_there(merchant: Merchant) -> None:
    data = await merchant.data(
        "{ btcPrice { base offset formattedAmount } currencyList { id symbol fractionDigits } }",
        headers={},
    )

    assert data["btcPrice"] == {"base": 10**11, "offset": 12, "formattedAmount": "0.1"}
    assert {"id": "JPY", "symbol": "¥", "fractionDigits": 0} in data["currencyList"]


async def test_the_wallet_of_a_user_can_be_found_by_name(merchant: Merchant, hand: Hand) -> None:
    bob = await hand.post("accounts", username="bob")
    usd = next(w["id"] for w in bob["wallets"] if w["currency"] == "USD")

    shown = await merchant.data(WALLET, {"name": "Bob"}, headers=CAPABLE)
    legacy = await merchant.data(WALLET, {"name": "bob", "currency": "USD"}, headers=CAPABLE)
    bitcoin = await merchant.ask(WALLET, {"name": "bob", "currency": "BTC"}, headers={})
    nobody = await merchant.ask(WALLET, {"name": "nobody"}, headers={})

    assert shown["accountDefaultWallet"]["id"] == bob["wallet"]
    assert legacy["accountDefaultWallet"]["id"] == usd
    assert bitcoin["errors"][0]["code"] == nobody["errors"][0]["code"] == "NOT_FOUND"


async def test_names_can_be_looked_up(merchant: Merchant) -> None:
    data = await merchant.data(
        '{ a: usernameAvailable(username: "merchant") b: usernameAvailable(username: "free") '
        'userDefaultWalletId(username: "merchant") }',
        headers=CAPABLE,
    )

    assert data == {"a": False, "b": True, "userDefaultWalletId": merchant.wallet}


@pytest.mark.parametrize("name", ["1abc", "ab", "lnbc1x", "sp ace"])
async def test_a_name_that_is_none_is_an_error(merchant: Merchant, name: str) -> None:
    answer = await merchant.ask(WALLET, {"name": name}, headers={})

    assert answer["errors"][0]["message"] == "Invalid value for Username"


async def test_the_settings_name_the_address_domain(merchant: Merchant, sandbox: Sandbox) -> None:
    data = await merchant.data(
        "{ globals { network lightningAddressDomain feesInformation { deposit { ratio } } } "
        "cashWalletCutover { state cutoverVersion updatedAt } mobileVersions { platform } }",
        headers={},
    )

    assert data["globals"]["network"] == "mainnet"
    assert sandbox.world.origin == f"http://{data['globals']['lightningAddressDomain']}"
    assert data["cashWalletCutover"]["state"] == "COMPLETE"


async def test_an_invoice_for_somebody_else_needs_no_account(
    merchant: Merchant, http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    query = (
        "mutation M($i: LnUsdInvoiceCreateOnBehalfOfRecipientInput!) "
        "{ lnUsdInvoiceCreateOnBehalfOfRecipient(input: $i) "
        "{ errors { message } invoice { paymentRequest } } }"
    )
    given = {"recipientWalletId": merchant.account.usd.id, "amount": 10}

    data = await merchant.data(query, {"i": given}, headers={})

    request = data["lnUsdInvoiceCreateOnBehalfOfRecipient"]["invoice"]["paymentRequest"]
    home = sandbox.world.invoices.find(bolt11.decode(request).payment_hash)
    assert home is not None
    assert home.wallet_id == merchant.wallet


async def first_event(other: Socket, query: str) -> dict[str, object]:
    await other.init()
    await other.subscribe(query)
    return dict(await other.data())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("amount: 5, amountCurrencyUnit: USDCENT, priceCurrencyUnit: BTCSAT", "exchange unit"),
        (
            "amount: 1000000, amountCurrencyUnit: BTCSAT, priceCurrencyUnit: USDCENT",
            "exchange amount",
        ),
        ("amount: -1, amountCurrencyUnit: BTCSAT, priceCurrencyUnit: USDCENT", "SatAmount"),
    ],
)
async def test_a_price_that_is_not_offered_is_an_error_in_the_payload(
    sandbox: Sandbox, given: str, message: str
) -> None:
    query = (
        f"subscription {{ price(input: {{{given}}}) {{ errors {{ message }} price {{ base }} }} }}"
    )

    async with socket(sandbox) as other:
        event = await first_event(other, query)

    assert message in str(event["price"])


async def test_the_schema_is_shipped_as_flash_publishes_it() -> None:
    text = schema.sdl()

    assert text.count("\n") == 2_712
    assert schema.build("2026-08") is schema.build("2026-08")
