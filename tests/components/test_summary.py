"""The figures at the top: what is said of a change, in which unit, and how little is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.change import Change, change_of, percent_of, points_of
from components.chart_style import compact
from components.period_strip import PeriodStrip, against_words, length_words
from components.sheet import Piece
from components.summary_cards import SummaryCards
from components.top_cards_chart import ranked, top_cards_figure, top_cards_summary
from components.trend_chart import trend_figure, trend_summary
from components.unit import SATS, Unit, unit_of
from models.period import Comparison, Fees, Period, TimeToPaid
from models.rollup import Bucket, Figure, Stats, TopCard
from models.states import PayoutStatus
from tests.components.pages import Paper, paper, text_of
from tests.support.clock import NOON

USD = Unit("fiat", "USD")
COMPLETED, FAILED = PayoutStatus.COMPLETED, PayoutStatus.FAILED
YESTERDAY = NOON.replace(hour=0) - timedelta(days=1)


def period(*, completed: int = 0, failed: int = 0, pending: int = 0, **more: object) -> Period:
    figures = dict.fromkeys(PayoutStatus, Figure())
    for status, count in ((COMPLETED, completed), (FAILED, failed)):
        figures[status] = Figure(count, 1_000 * count, 61 * count)
    figures[PayoutStatus.PENDING] = Figure(pending, 5 * pending, pending)
    fees = more.get("fees", Fees(0, 0, completed))
    times = more.get("times", TimeToPaid(None, 0, is_sample=False))
    assert isinstance(fees, Fees)
    assert isinstance(times, TimeToPaid)
    return Period(YESTERDAY, YESTERDAY + timedelta(days=1), figures, fees, times)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (112, 100, Change("↑ 12%", "up 12% on the period before", "good")),
        (88, 100, Change("↓ 12%", "down 12% on the period before", "bad")),
        (100, 100, Change("±0%", "as in the period before", "even")),
        (1_001, 1_000, Change("↑ <1%", "up <1% on the period before", "good")),
        (0, 3, Change("↓ 100%", "down 100% on the period before", "bad")),
        (5_000, 1, Change("↑ >999%", "up >999% on the period before", "good")),
        (7, 0, None),
        (0, 0, None),
    ],
)
def test_a_change_has_an_arrow_a_number_and_words(
    now: int, before: int, expected: Change | None
) -> None:
    assert change_of(now, before, "more") == expected


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_change_points_where_it_went_and_only_failures_reverse_its_mood(
    now: int, before: int
) -> None:
    more, less, plain = (change_of(now, before, better) for better in ("more", "less", None))

    assert more is not None
    assert less is not None
    assert plain is not None
    assert (more.text[0] == "↑") is (now > before)
    assert more.text == less.text == plain.text
    assert plain.mood == "even"
    assert {more.mood, less.mood} == ({"even"} if now == before else {"good", "bad"})


def test_rates_change_in_points() -> None:
    assert points_of(987, 983) == Change("↑ 0.4 pt", "up 0.4 pt on the period before", "good")
    assert points_of(900, 1_000) == Change("↓ 10.0 pt", "down 10.0 pt on the period before", "bad")
    assert points_of(None, 3) is None
    assert [percent_of(rate) for rate in (0, 5, 999, 1_000)] == ["0.0%", "0.5%", "99.9%", "100%"]


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 ms"),
        (timedelta(milliseconds=740), "740 ms"),
        (timedelta(seconds=2, milliseconds=490), "2.4 s"),
        (timedelta(seconds=59, milliseconds=999), "59.9 s"),
        (timedelta(minutes=3, seconds=20), "3 min 20 s"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
    ],
)
def test_a_length_is_told_in_two_units(length: timedelta, words: str) -> None:
    assert length_words(length) == words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-10-20T22:00Z", "2026-11-19T23:00Z", "against 21 Oct – 19 Nov"),
        ("2026-11-18T23:00Z", "2026-11-19T23:00Z", "against 19 Nov"),
        ("2026-11-18T23:00Z", "2026-11-19T08:12Z", "against 19 Nov until 09:12"),
        ("2026-10-24T22:00Z", "2026-10-26T08:12Z", "against 25 Oct – 26 Oct 09:12"),
    ],
)
def test_the_period_before_is_named_in_the_stores_zone(start: str, end: str, words: str) -> None:
    bounds = map(datetime.fromisoformat, (start, end))
    before = Period(*bounds, {}, Fees(), TimeToPaid(None, 0, is_sample=False))

    assert against_words(before, ZoneInfo("Europe/Berlin")) == words
    assert against_words(None, ZoneInfo("Europe/Berlin")) == ""


@pytest.mark.parametrize(
    ("key", "currency", "amount", "text"),
    [
        ("sats", "USD", 1, "1 sat"),
        (None, "USD", 1_234, "1,234 sats"),
        ("euro", "USD", 2, "2 sats"),
        ("fiat", "USD", 123_405, "$1,234.05"),
        ("fiat", "CHF", 5, "0.05 CHF"),
        ("fiat", "JPY", 1_234, "¥1,234"),
        ("fiat", "KWD", 1_234, "1.234 KWD"),
    ],
)
def test_an_amount_is_written_in_its_unit(
    key: str | None, currency: str, amount: int, text: str
) -> None:
    assert unit_of(key, currency).write(amount) == text


@given(st.integers(0, 10**15))
def test_a_short_amount_of_cents_is_exact(cents: int) -> None:
    text = compact(cents, 2)
    power = {"k": 3, "M": 6, "B": 9, "T": 12}.get(text[-1], 0)
    whole, _, rest = text.rstrip("kMBT").replace(",", "").partition(".")

    assert int(whole) * 10 ** (power + 2) + int(rest.ljust(power + 2, "0")) == cents


def test_charts_show_the_unit() -> None:
    figures = dict.fromkeys(PayoutStatus, Figure()) | {COMPLETED: Figure(2, 3_000, 250_050)}
    trend = trend_figure([Bucket(NOON, figures)], "UTC", "day", "amount", USD)
    cards = [TopCard("crd_1", "A", 9, 900, None, 100), TopCard("crd_2", "B", 1, 100, None, 2_599)]

    assert trend["data"][0]["y"] == [250_050]
    meta = trend["layout"]["meta"]
    assert (meta["one"], meta["unit"], meta["places"]) == ("USD", "USD", 2)
    assert "1k" in trend["layout"]["yaxis"]["ticktext"]
    assert "1 payout" not in trend_summary([Bucket(NOON, figures)], "UTC", "day", USD)
    assert "2 payouts, $2,500.50;" in trend_summary([Bucket(NOON, figures)], "UTC", "day", USD)
    assert [card.alias for card in ranked(cards, "amount", USD)] == ["B", "A"]
    assert [card.alias for card in ranked(cards, "amount", SATS)] == ["A", "B"]
    drawn = top_cards_figure(ranked(cards, "amount", USD), "amount", USD)
    assert [text.strip() for text in drawn["data"][0]["text"]] == ["25.99", "1.00"]
    assert top_cards_summary(cards, "amount", USD).endswith("A $1.00, B $25.99.")


def shown_on(page: Paper, names: tuple[str, ...]) -> dict[str, str]:
    return {name: page.read(f"stat-{name}") for name in names}


async def test_cards_show_what_changed_for_better_and_for_worse() -> None:
    now, before = period(completed=112, failed=3, pending=9), period(completed=100, failed=2)
    with paper() as page:
        cards = SummaryCards(print)
        cards.show(Stats(now.by_status, 4, NOON), Comparison(NOON, now, before, 5), SATS)

        shown = shown_on(page, ("total", "pending", "completed", "failed", "cards"))
        marks = {
            name: next(
                each.classes
                for each in page.by_testid(f"stat-{name}").descendants()
                if "fp-change" in each.classes
            )
            for name in ("completed", "failed")
        }
        assert shown["completed"].endswith("↑ 12% , up 12% on the period before 112 112,000 sats")
        assert shown["failed"].endswith("↑ 50% , up 50% on the period before 3 3,000 sats")
        assert shown["pending"].endswith("9 45 sats")
        assert "before" not in shown["pending"]
        assert "down 20% on the 30 days before" in shown["cards"]
        assert "↑ 22%" in shown["total"]
        assert marks["completed"] == ["fp-change", "good"]
        assert marks["failed"] == ["fp-change", "bad"]

        cards.show(Stats(now.by_status, 4, NOON), None, USD)
        assert "period before" not in page.read("stat-completed")
        assert page.read("stat-completed").endswith("112 $68.32")


async def test_only_what_changed_is_sent() -> None:
    now, before = period(completed=112, failed=3), period(completed=100, failed=2)
    comparison = Comparison(NOON, now, before, 0)
    with paper() as page:
        cards = SummaryCards(print)
        strip = PeriodStrip("UTC", "USD", print, SATS)
        stats = Stats(now.by_status, 4, NOON)
        cards.show(stats, comparison, SATS)
        strip.show(stats, comparison, SATS)
        page.sent()

        cards.show(stats, comparison, SATS)
        strip.show(stats, comparison, SATS)
        assert page.sent() == set()

        one_more = period(completed=112, failed=3, pending=1)
        cards.show(Stats(one_more.by_status, 4, NOON), comparison, SATS)
        strip.show(Stats(one_more.by_status, 4, NOON), comparison, SATS)
        # Count and amount of the total and of what is pending; 116 is 14% more, as 115 was 13%.
        assert len(page.sent()) == 6


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (
            period(completed=3, failed=1, fees=Fees(2_001, 2, 1)),
            period(completed=1),
            {
                "success": "Success rate 75.0% ↓ 25.0 pt , down 25.0 pt on the period before",
                "fees": "Fees 3 sats 1 not known yet",
                "median": "Median time to paid –",
            },
        ),
        (
            period(completed=2, times=TimeToPaid(timedelta(seconds=2), 1_000, is_sample=True)),
            period(completed=1, times=TimeToPaid(timedelta(seconds=1), 1, is_sample=False)),
            {
                "median": "Median time to paid 2.0 s of the newest 1,000 · was 1.0 s",
                "fees": "Fees – not known yet",
            },
        ),
        (period(), None, {"success": "Success rate –", "fees": "Fees –"}),
        (
            period(completed=1, fees=Fees(0, 1, 0)),
            None,
            {"success": "Success rate 100%", "fees": "Fees 0 sats"},
        ),
    ],
)
async def test_the_strip_says_what_is_not_known(
    now: Period, before: Period | None, expected: dict[str, str]
) -> None:
    with paper() as page:
        strip = PeriodStrip("UTC", "USD", print, SATS)
        strip.show(Stats(now.by_status, 0, NOON), Comparison(NOON, now, before, 0), SATS)

        assert shown_on(page, tuple(expected)) == expected


async def test_the_strip_says_what_a_worth_is_and_of_which_period() -> None:
    chosen: list[str] = []
    now, before = period(completed=1), period(completed=1)
    with paper() as page:
        strip = PeriodStrip("UTC", "USD", chosen.append, SATS)
        strip.show(Stats(now.by_status, 0, NOON), Comparison(NOON, now, before, 0), USD)

        texts = [text_of(each) for each in page.all()]
        assert "Worth when created · against 19 Nov" in texts
        buttons = {
            button.text: button.attributes["aria-pressed"]
            for button in page.by_testid("unit").descendants()
            if isinstance(button, Piece) and "aria-pressed" in button.attributes
        }
        assert buttons == {"sats": "false", "USD": "true"}
        assert chosen == []
