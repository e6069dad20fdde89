"""What waits for a person: each a number and a click to its list."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from components.dollars import dollars
from components.moment import short_moment
from components.sheet import Piece, Sheet
from models.attention import FAILED_WITHIN, Need, NeedKind
from models.wallet import RECOVERY

OnPick = Callable[[dict[str, str]], Awaitable[None]]
CALM = "Nothing needs you"
# A screen reader is told at most so often; whoever sees the page sees every change.
TOLD_EVERY_S = 15.0
_PICKS = {
    NeedKind.STOPPED: {"state": "approved"},
    NeedKind.GATE_SHUT: {"state": "in_flight"},
    NeedKind.SHORT: {"state": "approved"},
    NeedKind.REVIEW: {"state": "needs_review"},
    NeedKind.MATCHED: {"status": "pending"},
    NeedKind.STUCK: {"state": "in_flight"},
    NeedKind.APPROVE: {"state": "awaiting_approval"},
    NeedKind.FAILED: {"status": "failed"},
}
_WORDS = {
    NeedKind.STOPPED: "Payouts stopped{since}",
    NeedKind.GATE_SHUT: "Gate shut{since}: {count:,} not settled",
    NeedKind.REFUSED: "Flash does not accept the credential{since}",
    NeedKind.UNREACHABLE: "Flash not reached{since}",
    NeedKind.PAUSED: "Flash asks us to wait",
    NeedKind.SHORT: "Wallet {amount} short",
    NeedKind.CHECKS: "The books contradict themselves: {count:,} found",
    NeedKind.REVIEW: "{count:,} to review",
    NeedKind.MATCHED: "{count:,} may be paid already",
    NeedKind.STUCK: "{count:,} stuck",
    NeedKind.APPROVE: "{count:,} to approve",
    NeedKind.FAILED: "{count:,} failed in 24 h",
    NeedKind.BUDGET: "{count:,} pull payments nearly empty",
    NeedKind.ONE_FACTOR: "Your sign-in has no second factor",
}
_GRAVE = frozenset(
    {
        *(NeedKind.STOPPED, NeedKind.GATE_SHUT, NeedKind.REFUSED, NeedKind.UNREACHABLE),
        *(NeedKind.SHORT, NeedKind.CHECKS),
    }
)
# Where to go for what no filter of the dashboard shows.
_GOES = {
    NeedKind.BUDGET: "/pull-payments",
    NeedKind.CHECKS: "/wallet",
    NeedKind.ONE_FACTOR: "/account",
}


class NeedsYou:
    """Shows only what there is; with nothing to do it says so, quietly."""

    def __init__(self, on_pick: OnPick, zone_name: str = "UTC") -> None:
        self._on_pick = on_pick
        self._zone_name = zone_name
        self._shown: Sequence[Need] | None = None
        self._now: datetime | None = None
        self._told = ""
        self._told_at = -TOLD_EVERY_S
        said = {"data_testid": "needs-you", "aria_label": "Needs you"}
        self._row = Sheet("section", "fp-needs", **said).root
        self._name = self._row.add("span", "fp-needs-name hidden", "Needs you")
        self._items = {kind: self._item(kind) for kind in NeedKind}
        self._calm = self._row.add("span", "fp-needs-calm hidden", CALM)
        self._aloud = self._row.add("span", "fp-unseen", role="status")

    def show(self, needs: Sequence[Need], now: datetime) -> None:
        """Show what there is now."""
        self._now = now
        if needs != self._shown:
            self._shown = needs
            found = {need.kind: need for need in needs}
            for kind, item in self._items.items():
                need = found.get(kind)
                item.set_visibility(need is not None)
                if need is not None:
                    item.set_text(words(need, now, self._zone_name))
            self._name.set_visibility(bool(needs))
            self._calm.set_visibility(not needs)
        self._tell(needs, now)

    def _since(self, kind: NeedKind) -> dict[str, str]:
        """Return from which day on a list shows what was counted."""
        if kind is not NeedKind.FAILED or self._now is None:
            return {}
        first = (self._now - FAILED_WITHIN).astimezone(ZoneInfo(self._zone_name))
        return {"from": first.date().isoformat()}

    def _tell(self, needs: Sequence[Need], now: datetime) -> None:
        tick = time.monotonic()
        if tick - self._told_at < TOLD_EVERY_S:
            return
        text = ", ".join(words(need, now, self._zone_name) for need in needs) or CALM
        if text != self._told:
            self._told, self._told_at = text, tick
            self._aloud.set_text(text)

    def _item(self, kind: NeedKind) -> Piece:
        picks, mark = _PICKS.get(kind), f"need-{kind}"
        classes = "fp-need grave hidden" if kind in _GRAVE else "fp-need hidden"
        if kind in _GOES:
            return self._row.add("a", classes, data_testid=mark, href=_GOES[kind], data_go="")
        if picks is None:
            opens = {"popovertarget": "fp-health"}
            return self._row.add("button", classes, data_testid=mark, **opens)

        async def pick() -> None:
            await self._on_pick(picks | self._since(kind))

        return self._row.add("button", classes, data_testid=mark).on("click", pick)


def words(need: Need, now: datetime, zone_name: str) -> str:
    """Return what a need is, as short as it can be said."""
    since = "" if need.since is None else f" since {short_moment(need.since, now, zone_name)}"
    if need.kind is NeedKind.SHORT and not need.amount_nanousd:
        return f"Wallet short{since}"
    if need.kind is NeedKind.GATE_SHUT and need.subject == RECOVERY:
        return f"Restored from a copy{since}: an owner opens the gate"
    if need.kind is NeedKind.BUDGET and need.count == 1:
        return f"{need.subject} nearly empty"
    return _WORDS[need.kind].format(
        count=need.count, since=since, amount=dollars(need.amount_nanousd, up=True)
    )
