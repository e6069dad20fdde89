"""Keeps what recipients want shown after a payment, sealed, and shows it once it is settled."""

from __future__ import annotations

import json
from dataclasses import asdict

from models.errors import GatewayError
from models.payout_view import PayoutView
from models.success_action import ShownAction, SuccessAction
from services.database import Database
from services.plain_text import plain_text
from services.storage import success_action as success_actions
from services.storage.statement import Transaction
from services.success_action import decrypt_message
from services.vault import Vault

SECRET_LIMIT = 2_000


class KeptActions:
    """Seals and opens the actions of attempts."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def keep(
        self,
        tx: Transaction,
        store_id: str,
        payout_id: str,
        attempt_id: str,
        action: SuccessAction,
    ) -> None:
        """Keep the action that came with an attempt's invoice."""
        sealed = self._vault.of(store_id).seal_text(json.dumps(asdict(action)), _place(attempt_id))
        success_actions.add_action(tx, store_id, payout_id, attempt_id, sealed)

    async def shown(self, payout: PayoutView) -> ShownAction | None:
        """Return what the recipient of a settled payout wants shown, opened where that is possible.

        An `aes` one opens with the preimage alone, which Flash seldom gives.
        """
        found = await self._database.read(
            success_actions.settled_action, payout.store_id, payout.id
        )
        if found is None:
            return None
        attempt_id, sealed = found
        text = self._vault.of(payout.store_id).open_text(sealed, _place(attempt_id))
        action = SuccessAction(**json.loads(text))
        return ShownAction(action.kind, action.text, action.url, _secret(action, payout.preimage))


def _secret(action: SuccessAction, preimage: str | None) -> str | None:
    if action.ciphertext is None or action.iv is None or preimage is None:
        return None
    try:
        opened = decrypt_message(bytes.fromhex(preimage), action.ciphertext, action.iv)
    except (GatewayError, ValueError):
        return None
    return plain_text(opened, SECRET_LIMIT)


def _place(attempt_id: str) -> str:
    return f"success_actions/{attempt_id}/action"
