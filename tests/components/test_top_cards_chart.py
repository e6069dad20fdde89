"""The figure of the ranking: order, names and numbers."""

from __future__ import annotations

from components.plotly_bundle import differences
from components.top_cards_chart import ranked, top_cards_figure, top_cards_summary
from models.rollup import TopCard


def card(number: int, *, count: int = 1, sats: int = 100, alias: str = "") -> TopCard:
    return TopCard(f"crd_{number}", alias or f"Card {number}", count, sats, None)


def test_cards_stand_in_the_order_of_the_measure() -> None:
    cards = [card(1, count=9, sats=100), card(2, count=1, sats=900), card(3, count=5, sats=500)]

    assert [each.card_id for each in ranked(cards, "amount")] == ["crd_2", "crd_3", "crd_1"]
    assert [each.card_id for each in ranked(cards, "count")] == ["crd_1", "crd_3", "crd_2"]


def test_ten_cards_are_enough_and_those_without_anything_none() -> None:
    assert len(ranked([card(number) for number in range(25)], "count")) == 10
    assert ranked([card(1, sats=0)], "amount") == []


def test_an_alias_is_text_and_nothing_else() -> None:
    nasty = card(1, alias="<a href='javascript:pay()'>tap</a> & more")

    drawn = top_cards_figure([nasty], "amount")

    (mark,) = drawn["layout"]["yaxis"]["ticktext"]
    assert mark == "&lt;a href='javascript:…"
    assert drawn["layout"]["meta"]["labels"] == [nasty.alias]  # put into the page as text


def test_the_number_stands_at_the_end_and_has_room() -> None:
    drawn = top_cards_figure([card(1, sats=12_345_678), card(2, sats=5)], "amount")

    assert [text.strip() for text in drawn["data"][0]["text"]] == ["12,345,678", "5"]
    assert drawn["data"][0]["textposition"] == "outside"
    assert drawn["layout"]["margin"]["r"] >= 7 * len("12,345,678")


def test_two_cards_of_the_same_name_keep_two_rows() -> None:
    drawn = top_cards_figure([card(1, alias="Bar"), card(2, alias="Bar")], "count")

    assert drawn["layout"]["yaxis"]["tickvals"] == [0, 1]
    assert drawn["layout"]["meta"]["keys"] == ["crd_1", "crd_2"]


def test_a_card_that_climbs_is_a_patch() -> None:
    before = top_cards_figure([card(1, count=3), card(2, count=2)], "count")
    after = top_cards_figure([card(2, count=4), card(1, count=3)], "count")

    traces, places, around = differences(before, after)

    assert (sorted(traces), places) == (["text", "x"], [0])
    assert set(around) == {
        *("meta.keys", "meta.labels", "meta.facts", "xaxis.range", "yaxis.ticktext")
    }


def test_a_new_row_moves_the_rows() -> None:
    before = top_cards_figure([card(number) for number in range(7)], "count")
    after = top_cards_figure([card(number) for number in range(8)], "count")

    _, _, around = differences(before, after)

    assert around["yaxis.range"] == [7.5, -0.5]
    assert "bargap" in around


def test_the_summary_names_the_cards() -> None:
    cards = [card(1, sats=2_000, alias="Till\n1"), card(2, sats=1)]

    text = top_cards_summary(cards, "amount")

    assert text == "Top Boltcards by amount: Till 1 2,000 sats, Card 2 1 sat."
    assert top_cards_summary([], "count") == "Top Boltcards: none."
