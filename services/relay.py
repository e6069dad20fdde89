"""Carries hints between instances on one PostgreSQL: what one commits, all boards hear of.

A hint is called out after the commit, on a connection of its own: the first at once, then at most
one per store and twentieth of a second. Whatever is lost on the way costs a moment and no truth:
whoever was deaf for a while has everybody read everything again.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence

import structlog

from models.events import CardChanged, Change, PayoutChanged, PullPaymentChanged, WalletChanged
from models.states import PayoutState
from services.hub import Hub
from services.storage.notice import TEXT_LIMIT, opened_line

_log = structlog.get_logger(__name__)

EVERY_S = 0.05
SILENCE_S = 15.0
CHANGES_LIMIT = 40  # of one store in one notice; beyond that it says that much has changed
STORES_AT_ONCE = 100
_KINDS: dict[str, type[WalletChanged | PullPaymentChanged | CardChanged]] = {
    "wallet": WalletChanged,
    "pull": PullPaymentChanged,
    "card": CardChanged,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}

# By what changed, so that a payout that moved twice is named once; none means too many.
_Pending = dict[str, dict[str, Change] | None]


class Relay:
    """Tells the hub here at once, and those of other instances a moment later."""

    def __init__(self, url: str, hub: Hub) -> None:
        self._url = url
        self._hub = hub
        self._me = secrets.token_hex(6)
        self._pending: _Pending = {}
        self._wake = asyncio.Event()

    def told(self, changes: list[Change]) -> None:
        """Take what a commit changed; called in the event loop, and never waits."""
        self._hub.publish(changes)
        for change in changes:
            of_store = self._pending.setdefault(change.store_id, {})
            if of_store is None:
                continue
            kind, subject_id, *_ = _words(change)
            of_store[f"{kind}/{subject_id}"] = change
            if len(of_store) > CHANGES_LIMIT:
                self._pending[change.store_id] = None
        self._wake.set()

    async def tell(self) -> None:
        """Call out what changed here, for ever.

        Raises:
            UnavailableError: The connection was lost; what was on it is told after the next start.
        """
        async with opened_line(self._url) as line:
            while True:
                await self._wake.wait()
                due = list(self._pending)[:STORES_AT_ONCE]
                told = {store_id: self._pending.pop(store_id) for store_id in due}
                if not self._pending:
                    self._wake.clear()
                try:
                    await line.call([self._text(*one) for one in told.items()])
                except BaseException:
                    # Whether it was heard is unknown, so that all is read again.
                    self._pending |= dict.fromkeys(told)
                    self._wake.set()
                    raise
                await asyncio.sleep(EVERY_S)

    async def hear(self) -> None:
        """Hand what others call to the listeners here, for ever.

        Raises:
            UnavailableError: The connection was lost; after the next start all is read again.
        """
        async with opened_line(self._url) as line:
            await line.listen()
            self._hub.reread()  # nobody heard what was called until now
            while True:
                for text in await line.hear(SILENCE_S):
                    self._take(text)

    def _text(self, store_id: str, changes: dict[str, Change] | None) -> str:
        words = None if changes is None else [_words(change) for change in changes.values()]
        said = json.dumps({"by": self._me, "store": store_id, "changes": words})
        if len(said) > TEXT_LIMIT:
            said = json.dumps({"by": self._me, "store": store_id, "changes": None})
        return said

    def _take(self, text: str) -> None:
        try:
            said = json.loads(text)
            store_id, words = str(said["store"]), said["changes"]
            if said["by"] == self._me:
                return
            changes = None if words is None else [_change(store_id, one) for one in words]
        except (ValueError, TypeError, LookupError):
            _log.warning("relay.not_understood")  # an instance of another version
            self._hub.reread()
            return
        if changes is None:
            self._hub.reread(store_id)
        else:
            self._hub.publish(changes)


def _words(change: Change) -> list[str | int]:
    match change:
        case PayoutChanged():
            return ["payout", change.payout_id, str(change.state), change.revision]
        case WalletChanged():
            return [_NAMES[WalletChanged], change.wallet_id]
        case PullPaymentChanged():
            return [_NAMES[PullPaymentChanged], change.pull_payment_id]
        case CardChanged():
            return [_NAMES[CardChanged], change.card_id]


def _change(store_id: str, words: Sequence[str | int]) -> Change:
    if words[0] == "payout":
        _, payout_id, state, revision = words
        return PayoutChanged(store_id, str(payout_id), PayoutState(str(state)), int(revision))
    name, subject_id = words
    return _KINDS[str(name)](store_id, str(subject_id))
