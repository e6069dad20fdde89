"""What Flash thinks a payment will cost, for a person to read before it is made."""

from __future__ import annotations

from models.destination import is_amountless
from models.flash import Mutation, ProbeOutcome
from models.money import Rate
from models.wallet import Wallet
from services.flash.client import FlashClient
from services.flash.pace import Need, Pace
from services.mutation_policy import choose_mutation, order_amount


async def estimate_fee(
    client: FlashClient,
    pace: Pace,
    wallet: Wallet,
    invoice: str,
    *,
    amount_msat: int,
    rate: Rate | None,
) -> ProbeOutcome | None:
    """Ask for an estimate; nothing comes back where Flash gives none, or sends need the room."""
    if wallet.flash_wallet_id is None or wallet.currency is None or not client.can_probe:
        return None
    mutation = choose_mutation(wallet.currency, is_amountless=is_amountless(invoice))
    if mutation is Mutation.NO_AMOUNT_BTC or (mutation is Mutation.NO_AMOUNT_USD and rate is None):
        return None
    if not pace.try_take(Need.PROBE):
        return None
    amount = order_amount(mutation, amount_msat, rate)
    found = await client.probe_fee(wallet.flash_wallet_id, invoice, amount)
    return found if found.refused or found.fee_cents is not None else None
