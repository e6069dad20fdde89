"""The history of a wallet's balance: bounded, and told slot by slot."""

from __future__ import annotations

from datetime import timedelta

from models.balance import KEPT, BalanceSpan
from services.storage import wallet as wallets
from services.verdicts import PAID_AFTER_RELEASE
from tests.support.shop import Shop

STEP = timedelta(minutes=10)


async def connected(shop: Shop, balance_nanousd: int | None, name: str = "w") -> None:
    """Have Flash say what the wallet holds now."""
    wallet = await shop.wallet()
    await shop.container.database.write(
        lambda tx: wallets.set_connected(
            tx,
            wallet,
            wallet.fence,
            flash_wallet_id=name,
            currency="USDT",
            balance_nanousd=balance_nanousd,
            now=shop.clock.utc_now(),
        )
    )


async def line(shop: Shop, span: BalanceSpan = BalanceSpan.DAY) -> tuple[int, ...]:
    """Return the balances of a span's slots."""
    return (await shop.container.wallets.balances(shop.store.id, span)).balances_nanousd


async def test_a_balance_is_kept_where_it_changed_and_forgotten_in_the_end(shop: Shop) -> None:
    assert await line(shop) == ()
    for minutes, balance in ((0, 500), (1, 490), (4, 480), (20, 480), (1, None), (4, 450)):
        shop.clock.advance(minutes=minutes)
        await connected(shop, balance)

    # 490 came too early to be kept, 480 stayed as it was until 450.
    assert await line(shop) == (480, 480, 480, 450)
    shop.clock.advance(days=2)
    assert set(await line(shop)) == {450}
    assert len(await line(shop)) == BalanceSpan.DAY.length // STEP + 1
    await connected(shop, 7, "another wallet")
    assert await line(shop, BalanceSpan.MONTH) == (7,)
    shop.clock.advance(seconds=KEPT.total_seconds())
    await connected(shop, 440)

    assert await line(shop, BalanceSpan.MONTH) == (440,)


async def test_what_was_paid_after_release_is_told_newest_first(shop: Shop) -> None:
    store_id, now = shop.store.id, shop.clock.utc_now()
    for topic, subject in (
        (PAID_AFTER_RELEASE, "po_1"),
        ("other", "x"),
        (PAID_AFTER_RELEASE, "po_2"),
    ):
        await shop.container.database.write(wallets.add_alert, store_id, topic, subject, "", now)

    alarms = await shop.container.wallets.late_alarms(store_id)

    assert [(alarm.payout_id, alarm.at) for alarm in alarms] == [("po_2", now), ("po_1", now)]
