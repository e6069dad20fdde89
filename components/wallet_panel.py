"""The wallet in one panel: what it holds, what of it is spoken for, how long the rest lasts."""

from __future__ import annotations

from datetime import timedelta

from components.dollars import MINUS, dollars
from components.moment import age, short_moment
from components.prepared import Prepared
from components.sheet import Piece, Sheet
from models.money import to_sat_ceil
from models.standing import FEE_PER_MILLE, PAID_DAYS, Owed, WalletStanding

_COMMITTED_HINT = (
    f"All payouts that have not ended, with {FEE_PER_MILLE} per mille set aside for fees"
)
_COVER_HINT = f"Free money, at what was paid out on an average day of the last {PAID_DAYS}"
UNKNOWN = "–"
SECOND = timedelta(seconds=1)


class WalletPanel:
    """Shows a wallet's standing; only what changed is sent to the browser."""

    def __init__(self, zone_name: str) -> None:
        self._zone_name = zone_name
        self._texts: dict[str, Piece] = {}
        self._shown: dict[str, str] = {}
        said = {"data_testid": "wallet-panel", "aria_label": "Wallet"}
        self._panel = Sheet("section", "fp-panel fp-funds is-loading", **said).root
        head = self._panel.add("div", "fp-panel-head")
        head.add("h2", "fp-h2", "Wallet")
        head.add("span", "fp-gap")
        self._texts["age"] = head.add("span", "fp-aside num")
        body = self._panel.add("div", "fp-panel-body")
        sums = body.add("dl", "fp-sums")
        self._sum(sums, "balance", "Balance", "What Flash says the wallet holds")
        self._sum(sums, "committed", "Committed", _COMMITTED_HINT)
        self._sum(sums, "free", "Free", "The balance without what is committed")
        self._sum(sums, "cover", "Lasts", _COVER_HINT)
        self._bar = body.add("div", "fp-stack", role="img")
        self._parts = [
            self._bar.add("span", f"part {name}") for name in ("unsettled", "waiting", "free")
        ]
        lines = body.add("ul", "fp-owed num")
        self._line(lines, "waiting", "○", "Waiting to be sent")
        self._line(lines, "unsettled", "◐", "Sent, not settled")
        self._line(lines, "day", "●", f"Paid on a day, average of {PAID_DAYS}")
        self._texts["note"] = body.add("p", "fp-note")

    def show(self, standing: WalletStanding, prepared: Prepared | None = None) -> None:
        """Show how the wallet stands now.

        What is `prepared` of the same standing for another page is shown as it is.
        """
        self._draw(standing)
        words = (prepared or Prepared()).once("wallet", lambda: self._words(standing))
        if words == self._shown:
            return
        self._shown = words
        self._panel.mark("is-loading", on=False)
        for name, text in words.items():
            self._texts[name].set_text(text)
            if name in {"note", "age", "free"}:
                self._texts[name].mark("is-warning", on=_warns(name, text))

    def _words(self, standing: WalletStanding) -> dict[str, str]:
        balance, free = standing.balance_nanousd, standing.free_nanousd
        return {
            "age": self._age(standing),
            "balance": UNKNOWN if balance is None else dollars(balance),
            "committed": _committed(standing),
            "free": UNKNOWN if free is None else dollars(free),
            "cover": _cover(standing),
            "waiting": _owed(standing.waiting),
            "unsettled": _owed(standing.unsettled),
            "day": f"{standing.paid_sats // PAID_DAYS:,} sats",
            "note": note(standing, self._zone_name),
        }

    def _age(self, standing: WalletStanding) -> str:
        if standing.balance_at is None:
            return "not read yet"
        if not standing.balance_is_old:
            return f"as of {short_moment(standing.balance_at, standing.as_of, self._zone_name)}"
        return f"{age((standing.as_of - standing.balance_at) // SECOND)} old"

    def _draw(self, standing: WalletStanding) -> None:
        shares = shares_of(standing)
        for part, share in zip(self._parts, shares, strict=True):
            part.set("style", f"width:{share // 10}.{share % 10}%")
        words = f"{shares[0] // 10} % sent, {shares[1] // 10} % waiting, {shares[2] // 10} % free"
        self._bar.set("aria-label", words)

    def _sum(self, into: Piece, name: str, word: str, hint: str) -> None:
        box = into.add("div", "fp-sum", title=hint)
        box.add("dt", "", word)
        self._texts[name] = box.add("dd", "num", UNKNOWN)

    def _line(self, into: Piece, name: str, glyph: str, word: str) -> None:
        line = into.add("li")
        line.add("span", f"key {name}", glyph, aria_hidden="true")
        line.add("span", "", word)
        self._texts[name] = line.add("span", "value", UNKNOWN)


def shares_of(standing: WalletStanding) -> tuple[int, int, int]:
    """Return how many per mille are unsettled, waiting and free; all nothing where unknown."""
    free, committed = standing.free_nanousd, standing.committed_nanousd
    if free is None or committed is None or committed + max(0, free) <= 0:
        return 0, 0, 0
    whole = committed + max(0, free)
    owed = max(1, standing.owed.amount_msat)
    unsettled = 1000 * committed * standing.unsettled.amount_msat // (owed * whole)
    waiting = 1000 * committed // whole - unsettled
    return unsettled, waiting, 1000 - unsettled - waiting


def note(standing: WalletStanding, zone_name: str) -> str:
    """Return what the figures leave open, in one sentence, or nothing."""
    if standing.short_nanousd:
        short = dollars(standing.short_nanousd, up=True)
        return f"The wallet covers {short} less than what is waiting."
    if standing.rate is None and standing.owed.count:
        at = standing.newest_rate_at
        if at is None:
            return "There is no price yet, so what is committed is shown in sats only."
        when = short_moment(at, standing.as_of, zone_name)
        return f"The last price is of {when}: too old to reckon with."
    if standing.owed.unquoted:
        count = standing.owed.unquoted
        return f"{count:,} of these have no amount in sats yet and are not in the sum."
    return ""


def _committed(standing: WalletStanding) -> str:
    committed = standing.committed_nanousd
    if committed is None:
        return f"{to_sat_ceil(standing.owed.with_fees_msat):,} sats"
    return dollars(committed, up=True)


def _cover(standing: WalletStanding) -> str:
    tenths = standing.cover_tenths
    if tenths is None:
        return UNKNOWN
    days = tenths // 10
    if days >= 1_000:  # noqa: PLR2004  # beyond, the number says nothing more
        return "over 999 days"
    return f"{days:,} days" if days >= 100 else f"{days}.{tenths % 10} days"  # noqa: PLR2004


def _owed(owed: Owed) -> str:
    if not owed.count:
        return "nothing"
    word = "payout" if owed.count == 1 else "payouts"
    return f"{owed.count:,} {word}, {to_sat_ceil(owed.amount_msat):,} sats"


def _warns(name: str, text: str) -> bool:
    if name == "age":
        return text.endswith("old")
    return bool(text) if name == "note" else text.startswith(MINUS)
