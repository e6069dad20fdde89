"""What a recipient wants shown is kept sealed with the invoice, and shown once that is paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.destination import Destination, Resolved
from models.states import PayoutState
from models.success_action import ShownAction, SuccessAction
from services.destinations import Destinations
from services.kept_actions import KeptActions
from services.resolver import Resolver
from tests.services.test_payout_requests import approve, ask
from tests.support.databases import Raw
from tests.support.sandbox import Hand
from tests.support.shop import ALICE, Shop
from tests.vector_files import rows

ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"])
SECRET = rows("lnurl.json", "lud10_aes")[0]
ACTIONS = {
    "message": SuccessAction("message", "Thanks, Alice"),
    "url": SuccessAction("url", "Your receipt", "https://x.example/1"),
    "none": None,
}


class Grateful(Destinations):
    """A recipient who wants something shown."""

    def __init__(self, shop: Shop, action: SuccessAction | None) -> None:
        real = shop.container.engine.destinations
        super().__init__(real._outbound, real._clock, real._flash_host)
        self._action = action

    async def resolve(self, destination: Destination, amount_msat: int) -> Resolved:
        found = await super().resolve(destination, amount_msat)
        return replace(found, success_action=self._action)


@ON_SQLITE
async def test_an_action_is_kept_sealed_and_shown_once_it_is_paid(
    paying_shop: Shop, hand: Hand, beneath: Raw
) -> None:
    payee, container = await hand.open_account(0), paying_shop.container
    for name, action in ACTIONS.items():
        resolver = Resolver(
            *(container.database, container.vault, container.clock, container.ids),
            rates=container.rates,
            destinations=Grateful(paying_shop, action),
        )
        await container.wallets.stop(paying_shop.store.id, ALICE)
        payout = await ask(paying_shop, payee.username, amount=1_000)
        await approve(paying_shop, payout)
        await resolver.prepare(await paying_shop.payout(payout.id))
        details = container.details
        assert (await details.read(paying_shop.store.id, payout.id)).success_action is None

        await container.wallets.resume(paying_shop.store.id, ALICE)
        paying_shop.clock.advance(seconds=5)
        await paying_shop.reaches(payout.id, PayoutState.COMPLETED)

        shown = (await details.read(paying_shop.store.id, payout.id)).success_action
        told = await details.success_action(paying_shop.store.id, payout.id)
        assert shown == told
        if action is None:
            assert shown is None
        else:
            assert shown == ShownAction(action.kind, action.text, action.url, None), name
    kept = beneath.rows("SELECT action_sealed FROM success_actions")
    assert len(kept) == sum(action is not None for action in ACTIONS.values())
    for (sealed,) in kept:
        assert b"Alice" not in bytes(sealed)
        assert b"receipt" not in bytes(sealed)


@ON_SQLITE
async def test_a_secret_opens_with_the_preimage_and_with_nothing_else(
    paying_shop: Shop, hand: Hand
) -> None:
    container, store_id = paying_shop.container, paying_shop.store.id
    pull = await paying_shop.pull_payment()
    paid = await paying_shop.claim(pull, (await hand.home_invoice()).pr)
    attempt = await paying_shop.attempt(paid.id)
    kept = KeptActions(container.database, container.vault)
    words, vector = SECRET["ciphertext_base64"], SECRET["iv_base64"]
    action = SuccessAction("aes", "Your code", ciphertext=words, iv=vector)
    await container.database.write(kept.keep, store_id, paid.id, attempt.id, action)
    view = await container.payouts.read(store_id, paid.id)

    for preimage, secret in (
        (SECRET["preimage"], SECRET["plaintext"]),
        ("00" * 32, None),
        ("no preimage", None),
        (None, None),
    ):
        shown = await kept.shown(replace(view, preimage=preimage))
        assert shown == ShownAction("aes", "Your code", None, secret)
