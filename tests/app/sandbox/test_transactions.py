"""What the list of transactions tells, and what it keeps to itself."""

from __future__ import annotations

import base64
import csv
import io

import pytest

from tests.app.sandbox.actors import ROWS, Hand, Merchant, foreign

DETAILS = """
query Details($id: String!) { transactionDetails(input: {transactionId: $id}) {
  errors { message } transactionDetails { id status amount fee paymentHash paymentPreimage memo
  invoice currency type } } }
"""
LIST = (
    "{ me { defaultAccount { transactions(%s) { edges { cursor } pageInfo { hasNextPage } } } } }"
)


async def test_a_send_is_a_row_that_hides_hash_memo_and_status(merchant: Merchant) -> None:
    invoice = foreign()
    await merchant.send(invoice.pr, memo="for the ferry")

    row = (await merchant.rows())[0]

    assert (row["direction"], row["status"], row["memo"]) == ("SEND", "SUCCESS", None)
    assert row["initiationVia"] == {"__typename": "InitiationViaLn", "paymentHash": ""}
    assert row["settlementVia"] == {"__typename": "SettlementViaLn", "preImage": None}


async def test_a_usdt_row_has_whole_cents_and_a_display_amount_in_dollars(
    merchant: Merchant, hand: Hand
) -> None:
    invoice = foreign(1_735_000)
    await merchant.send(invoice.pr)

    row = (await merchant.rows())[0]
    (paid,) = await hand.ledger(invoice.hash)

    assert row["settlementCurrency"] == "USDT"
    assert row["settlementAmount"] == -174
    assert row["settlementDisplayCurrency"] == "USD"
    assert row["settlementDisplayAmount"] == "-1.735"
    assert float(row["settlementDisplayFee"]) == pytest.approx(paid["fee_nanousd"] / 10**9)


async def test_a_usd_row_has_dollars_where_cents_would_be(merchant: Merchant, hand: Hand) -> None:
    await hand.post("cutover", state="ROLLED_BACK")
    merchant.wallet = merchant.account.usd.id
    await merchant.send(foreign(1_735_000).pr)

    row = (await merchant.rows())[0]

    assert (row["settlementCurrency"], row["settlementAmount"]) == ("USD", -1.735)


async def test_a_receipt_below_half_a_cent_reads_as_a_send(merchant: Merchant, hand: Hand) -> None:
    invoice = await hand.post("invoices", payee="merchant", amount_msat=1_000)
    await hand.post("pay", pr=invoice["pr"])

    row = (await merchant.rows())[0]

    assert (row["settlementAmount"], row["direction"]) == (0, "SEND")
    assert row["settlementDisplayAmount"] == "0.001"


async def test_only_the_newest_hundred_are_listed(merchant: Merchant, hand: Hand) -> None:
    for cents in range(1, 121):
        await hand.post("fund", cents=cents)

    rows = await merchant.rows()

    assert [row["settlementAmount"] for row in rows] == list(range(120, 20, -1))


@pytest.mark.parametrize("page", ["first: 101", "last: 101", "first: 0"])
async def test_a_page_is_one_to_a_hundred_rows(merchant: Merchant, page: str) -> None:
    answer = await merchant.ask(LIST % page)

    assert answer["errors"][0]["code"] == "INVALID_INPUT"


async def test_the_cursors_that_are_given_out_are_not_taken_back(merchant: Merchant) -> None:
    data = await merchant.data(ROWS)
    cursor = data["me"]["defaultAccount"]["transactions"]["pageInfo"]["startCursor"]

    answer = await merchant.ask(LIST % f'first: 5, after: "{cursor}"')

    assert answer["errors"][0]["message"] == 'Argument "after" must be a valid cursor'


async def test_a_well_formed_cursor_leads_nowhere(merchant: Merchant) -> None:
    data = await merchant.data(LIST % f'first: 5, after: "{"0" * 24}"')

    assert len(data["me"]["defaultAccount"]["transactions"]["edges"]) == 1


async def test_last_gives_the_oldest(merchant: Merchant, hand: Hand) -> None:
    await hand.post("fund", cents=7)
    query = LIST.replace("cursor", "node { settlementAmount }") % "last: 1"

    (edge,) = (await merchant.data(query))["me"]["defaultAccount"]["transactions"]["edges"]

    assert edge["node"]["settlementAmount"] == 1_000_000


async def test_legacy_rows_come_after_the_newer_ones_and_are_not_sorted_in(
    merchant: Merchant, hand: Hand
) -> None:
    await hand.post("fund", wallet=merchant.account.usd.id, cents=300)

    rows = await merchant.rows()

    assert [row["settlementCurrency"] for row in rows] == ["USDT", "USD"]


async def test_the_details_of_a_send_have_no_hash_and_those_of_a_receipt_do(
    merchant: Merchant, hand: Hand
) -> None:
    await merchant.send(foreign(2_000_000).pr)
    sent = (await merchant.rows())[0]["id"]
    invoice = await hand.post("invoices", payee="merchant", amount_msat=2_000_000, memo="topup")
    await hand.post("pay", pr=invoice["pr"])
    received = (await merchant.rows())[0]["id"]

    send, receipt = [
        (await merchant.data(DETAILS, {"id": each}))["transactionDetails"]["transactionDetails"]
        for each in (sent, received)
    ]

    assert (send["status"], send["amount"], send["currency"]) == ("completed", 2.0, "")
    assert send["paymentHash"] is send["paymentPreimage"] is send["invoice"] is None
    assert receipt["paymentHash"] == invoice["hash"]
    assert (receipt["paymentPreimage"], receipt["memo"]) == (invoice["preimage"], "topup")


async def test_unknown_details_are_an_error_in_the_payload(merchant: Merchant) -> None:
    answer = (await merchant.data(DETAILS, {"id": "none"}))["transactionDetails"]

    assert answer["transactionDetails"] is None
    assert answer["errors"][0]["message"]


async def test_the_export_has_every_row_of_every_wallet(merchant: Merchant, hand: Hand) -> None:
    for cents in range(1, 121):
        await hand.post("fund", cents=cents)
    await hand.post("fund", wallet=merchant.account.usd.id, cents=300)
    await merchant.send(foreign().pr)

    data = await merchant.data("{ me { defaultAccount { csvTransactions(walletIds: []) } } }")
    text = base64.b64decode(data["me"]["defaultAccount"]["csvTransactions"]).decode()
    rows = list(csv.DictReader(io.StringIO(text)))

    assert text.startswith("Id, Wallet Id, Type, Direction, Amount, Display Amount, Fee,")
    assert len(rows) == 123
    assert rows[0][" Type"] == "lightning"
    assert {row[" Currency"] for row in rows} == {"USD", "USDT"}
