"""The wallet in one panel: what it holds, what of it is spoken for, how long the rest lasts."""

from __future__ import annotations

from datetime import timedelta

from nicegui import html

from components.dollars import MINUS, dollars
from components.moment import age, short_moment
from components.text import Text
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
        self._texts: dict[str, Text] = {}
        self._shown: dict[str, str] = {}
        with html.section().classes("fp-panel fp-funds is-loading") as self._panel:
            self._panel.props('data-testid=wallet-panel aria-label="Wallet"')
            with html.div().classes("fp-panel-head"):
                html.h2("Wallet").classes("fp-h2")
                html.span().classes("fp-gap")
                self._texts["age"] = Text("span").classes("fp-aside num")
            with html.div().classes("fp-panel-body"):
                with html.dl().classes("fp-sums"):
                    self._sum("balance", "Balance", "What Flash says the wallet holds")
                    self._sum("committed", "Committed", _COMMITTED_HINT)
                    self._sum("free", "Free", "The balance without what is committed")
                    self._sum("cover", "Lasts", _COVER_HINT)
                with html.div().classes("fp-stack").props("role=img") as self._bar:
                    self._parts = {
                        name: html.span().classes(f"part {name}")
                        for name in ("unsettled", "waiting", "free")
                    }
                with html.ul().classes("fp-owed num"):
                    self._line("waiting", "○", "Waiting to be sent")
                    self._line("unsettled", "◐", "Sent, not settled")
                    self._line("day", "●", f"Paid on a day, average of {PAID_DAYS}")
                self._texts["note"] = Text("p").classes("fp-note")

    def show(self, standing: WalletStanding) -> None:
        """Show how the wallet stands now."""
        self._panel.classes(remove="is-loading")
        balance, free = standing.balance_nanousd, standing.free_nanousd
        self._say("age", self._age(standing))
        self._say("balance", UNKNOWN if balance is None else dollars(balance))
        self._say("committed", _committed(standing))
        self._say("free", UNKNOWN if free is None else dollars(free))
        self._say("cover", _cover(standing))
        self._say("waiting", _owed(standing.waiting))
        self._say("unsettled", _owed(standing.unsettled))
        self._say("day", f"{standing.paid_sats // PAID_DAYS:,} sats")
        self._say("note", note(standing, self._zone_name))
        self._draw(standing)

    def _age(self, standing: WalletStanding) -> str:
        if standing.balance_at is None:
            return "not read yet"
        if not standing.balance_is_old:
            return f"as of {short_moment(standing.balance_at, standing.as_of, self._zone_name)}"
        return f"{age((standing.as_of - standing.balance_at) // SECOND)} old"

    def _draw(self, standing: WalletStanding) -> None:
        shares = shares_of(standing)
        for (name, part), share in zip(self._parts.items(), shares, strict=True):
            width = f"width:{share // 10}.{share % 10}%"
            if self._shown.get(f"{name}-width") != width:
                self._shown[f"{name}-width"] = width
                part.style(replace=width)
        words = f"{shares[0] // 10} % sent, {shares[1] // 10} % waiting, {shares[2] // 10} % free"
        if self._shown.get("bar") != words:
            self._shown["bar"] = words
            self._bar.props["aria-label"] = words

    def _say(self, name: str, text: str) -> None:
        if self._shown.get(name) != text:
            self._shown[name] = text
            self._texts[name].set_text(text)
            if name in {"note", "age", "free"}:
                self._texts[name].classes(**_toggled("is-warning", _warns(name, text)))

    def _sum(self, name: str, word: str, hint: str) -> None:
        with html.div().classes("fp-sum") as box:
            box.props["title"] = hint
            html.dt(word)
            self._texts[name] = Text("dd", UNKNOWN).classes("num")

    def _line(self, name: str, glyph: str, word: str) -> None:
        with html.li():
            html.span(glyph).classes(f"key {name}").props("aria-hidden=true")
            html.span(word)
            self._texts[name] = Text("span", UNKNOWN).classes("value")


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


def _toggled(name: str, wanted: bool) -> dict[str, str]:
    return {"add": name} if wanted else {"remove": name}
