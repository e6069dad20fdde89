"""The people of a small harbour town: who they are, what they draw from, and where they spend it.

Data only. What they do with a day is in `habits.py`; the history of the demo and the live town
draw on the same cast, so that a regular of last month is a regular now.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STORE_NAME: Final = "Harbour Street Market"
OWNER_EMAIL: Final = "owner@harbour-street.example"
TIME_ZONE: Final = "America/Jamaica"
CURRENCY: Final = "USD"

Price = tuple[str, int]
"""What is bought, and what it usually costs in cents."""


class Peak(StrEnum):
    """When somebody is mostly about."""

    DAWN = "dawn"
    NOON = "noon"
    DUSK = "dusk"
    NIGHT = "night"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Fund:
    """A pull payment of the market; `is_open` says whether somebody draws from it today."""

    key: str
    name: str
    currency: str = "SATS"
    min_sats: int = 1
    max_sats: int | None = None
    auto_approve: bool = True
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Payee:
    """Where money arrives: a Flash user (`username`), or a node of somebody's own."""

    key: str
    name: str
    username: str | None
    prices: tuple[Price, ...]
    # Whole hundreds of sats instead of a price in dollars.
    counts_in_sats: bool = False
    # A node that nobody finds a way to.
    is_reachable: bool = True


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody with a card, or with a link; the first payee is the favourite.

    Attributes:
        liveliness: How often they come, against the others.
        open_hand: How much they spend, in percent of what others would.
    """

    name: str
    trade: str
    fund: str
    payees: tuple[str, ...]
    peak: Peak
    liveliness: int
    open_hand: int = 100
    has_card: bool = True


FUNDS: Final = (
    Fund("lunch", "Crew lunches", max_sats=40_000),
    Fund("vouchers", "Market day vouchers", max_sats=80_000),
    Fund("cashback", "Regulars' cash-back", min_sats=100, max_sats=25_000),
    Fund("couriers", "Courier runs", currency="USD", max_sats=120_000),
    Fund("tips", "Tips, shared out nightly", min_sats=500, max_sats=60_000),
    Fund("expenses", "Expenses, signed off", max_sats=900_000, auto_approve=False),
    Fund("pocket", "Pocket money", max_sats=10_000),
    Fund("fair", "Harvest fair volunteers", max_sats=50_000, is_open=False),
)

SHOPS: Final = (
    Payee(
        "grounds",
        "Daily Grounds",
        "daily_grounds",
        (
            ("Flat white", 450),
            ("Black coffee", 300),
            ("Cold brew and a bun", 725),
            ("Two flat whites", 900),
            ("Espresso, in a hurry", 275),
        ),
    ),
    Payee(
        "patty",
        "The Patty Principle",
        "patty_principle",
        (("Beef patty", 350), ("Two patties and a cola", 895), ("Coco bread", 225)),
    ),
    Payee(
        "loaf",
        "Loaf & Order",
        "loaf_and_order",
        (("Sourdough", 650), ("Cinnamon roll", 395), ("Half a dozen rolls", 480)),
    ),
    Payee(
        "codfather",
        "The Codfather",
        None,
        (("Fish and chips", 1250), ("Escovitch snapper", 1650), ("Chips, extra vinegar", 450)),
    ),
    Payee(
        "jerk",
        "Jerk of All Trades",
        "jerk_of_all_trades",
        (("Jerk chicken plate", 1195), ("Festival, four pieces", 400), ("Family platter", 3400)),
    ),
    Payee(
        "wok",
        "Wok This Way",
        None,
        (("Noodles, medium hot", 1050), ("Spring rolls", 550), ("Dinner for two", 2480)),
    ),
    Payee(
        "pulp",
        "Pulp Friction",
        "pulp_friction",
        (("Mango lassi", 525), ("Sorrel, large", 475), ("Green juice", 650)),
    ),
    Payee(
        "melt",
        "Melt Away",
        "melt_away",
        (("Two scoops", 500), ("Rum and raisin cone", 375), ("Sundae with everything", 925)),
    ),
    Payee(
        "lettuce",
        "Lettuce Meet",
        "lettuce_meet",
        (("Callaloo and scallions", 780), ("Fruit for the week", 2150), ("Ackee, a dozen", 1400)),
    ),
    Payee(
        "thyme",
        "Thyme & Again",
        "thyme_and_again",
        (("Allspice and thyme", 640), ("Scotch bonnets", 320), ("Curry, ground fresh", 890)),
    ),
    Payee(
        "curl",
        "Curl Up & Dye",
        "curl_up_and_dye",
        (("Wash and set", 3500), ("Trim", 1800), ("Beard, restored to order", 1500)),
    ),
    Payee(
        "books",
        "Book Ends",
        None,
        (("Used paperback", 400), ("Two mysteries", 750), ("Atlas, some islands missing", 1600)),
        counts_in_sats=True,
    ),
    Payee(
        "spokes",
        "Spokes & Folks",
        "spokes_and_folks",
        (("Inner tube", 950), ("Brake pads, fitted", 2200), ("Full service", 6500)),
    ),
    Payee(
        "sole",
        "Sole Provider",
        None,
        (("New heels", 1700), ("Resoled, good as old", 3900), ("Laces", 250)),
    ),
    Payee(
        "tackle",
        "Tide & Seek",
        None,
        (("Bait", 350), ("Hooks and line", 1150), ("Tide tables", 600)),
        counts_in_sats=True,
    ),
    Payee(
        "grid",
        "Off the Grid Diner",
        None,
        (("Blue plate special", 1100), ("Pie of the day", 550)),
        is_reachable=False,
    ),
)

# Those who are paid to a wallet of their own.
WALLETS: Final = (
    Payee(
        "wallet_ingrid",
        "Ingrid's wallet",
        "ingrid_keys",
        (("Tips, Friday set", 2400), ("Tips, piano", 1500)),
        counts_in_sats=True,
    ),
    Payee(
        "wallet_sinead",
        "Sinéad's own node",
        None,
        (("Tips, bar", 3100), ("Tips, late shift", 2200)),
        counts_in_sats=True,
    ),
    Payee(
        "wallet_marlon",
        "Marlon's wallet",
        "marlon_on_drums",
        (("Tips, drums", 1800), ("Tips, carried home", 900)),
        counts_in_sats=True,
    ),
    Payee(
        "wallet_wren",
        "Wren's own node",
        None,
        (
            ("Awning rope, two coils", 4200),
            ("Market stall permits", 12_500),
            ("Paint, harbour blue", 5600),
        ),
    ),
    Payee(
        "wallet_paolo",
        "Paolo's wallet",
        "paolo_fixes_it",
        (
            ("Cold room fan, replaced", 9800),
            ("Fuses and an apology", 1900),
            ("Ladder hire", 3300),
        ),
    ),
    Payee(
        "wallet_aroha",
        "Aroha's wallet",
        "aroha_prints",
        (("Posters, harvest fair", 7400), ("Loyalty cards, 500", 6100)),
    ),
    Payee(
        "wallet_fair",
        "A volunteer's wallet",
        "fair_volunteers",
        (("Stall, half a day", 2500), ("Bunting, hung straight", 1800)),
        counts_in_sats=True,
    ),
)

_P = Peak

CUSTOMERS: Final = (
    Customer("Amara Okafor", "surveyor", "lunch", ("grounds", "jerk", "pulp"), _P.DAWN, 10),
    Customer("Desmond Clarke", "crane driver", "lunch", ("patty", "grounds"), _P.NOON, 12, 90),
    Customer("Mei-Lin Chen", "harbour office", "lunch", ("wok", "grounds", "pulp"), _P.NOON, 9),
    Customer("Yusuf Demir", "welder", "lunch", ("loaf", "jerk"), _P.NOON, 8, 130),
    Customer("Rafael Quispe", "night porter", "lunch", ("patty", "grounds"), _P.NIGHT, 5, 80),
    Customer("Nokuthula Dlamini", "customs", "lunch", ("grounds", "lettuce"), _P.DAWN, 8),
    Customer("Kwame Mensah", "dock crew", "lunch", ("jerk", "patty", "grid"), _P.NOON, 9, 150),
    Customer("Tenzin Dolma", "radio room", "lunch", ("wok", "loaf"), _P.ANY, 6, 70),
    Customer("Priya Raman", "teacher", "vouchers", ("lettuce", "thyme", "books"), _P.DUSK, 7),
    Customer("Winston Bogle", "harbour pilot", "vouchers", ("codfather", "tackle"), _P.DAWN, 7),
    Customer("Hana Sato", "ceramics", "vouchers", ("thyme", "lettuce", "curl"), _P.NOON, 5, 120),
    Customer("Oksana Hrytsenko", "seamstress", "vouchers", ("loaf", "sole"), _P.DUSK, 6),
    Customer(
        "Giulia Ferri", "cook", "vouchers", ("thyme", "lettuce", "codfather"), _P.DAWN, 8, 160
    ),
    Customer("Elif Kaya", "gardener", "vouchers", ("lettuce", "melt"), _P.ANY, 5),
    Customer("Shanice Reid", "nurse", "vouchers", ("pulp", "curl", "jerk"), _P.NIGHT, 7),
    Customer("Noor Haddad", "bookseller", "vouchers", ("grounds", "books"), _P.DUSK, 6, 85),
    Customer("Leilani Kealoha", "surf school", "cashback", ("pulp", "melt"), _P.NOON, 7),
    Customer("Fatou Diallo", "jeweller", "cashback", ("grounds", "loaf"), _P.DAWN, 8),
    Customer("Tomás Herrera", "retired, he says", "cashback", ("grounds", "books"), _P.DAWN, 9, 45),
    Customer("Delroy Gayle", "umpire", "cashback", ("patty", "melt", "grid"), _P.DUSK, 6),
    Customer("Jean-Baptiste Noël", "violin maker", "cashback", ("loaf", "grounds"), _P.NOON, 5, 60),
    Customer("Katarina Novak", "translator", "cashback", ("grounds", "pulp"), _P.ANY, 6),
    Customer("Björn Ek", "cycle courier", "couriers", ("spokes", "patty"), _P.NOON, 9, 110),
    Customer("Thandi Mokoena", "cycle courier", "couriers", ("spokes", "jerk"), _P.DUSK, 8),
    Customer("Arjun Patel", "van and a dog", "couriers", ("codfather", "spokes", "wok"), _P.ANY, 7),
    Customer("Kiran Patel, nine", "Arjun's daughter", "pocket", ("melt", "patty"), _P.DUSK, 2, 70),
    Customer(
        *("Ingrid Solberg", "pianist", "tips", ("wallet_ingrid",), _P.NIGHT, 4), has_card=False
    ),
    Customer(*("Sinéad Byrne", "bar", "tips", ("wallet_sinead",), _P.NIGHT, 4), has_card=False),
    Customer(*("Marlon Pryce", "drums", "tips", ("wallet_marlon",), _P.NIGHT, 3), has_card=False),
    Customer(
        *("Wren Abernathy", "stage hand", "expenses", ("wallet_wren",), _P.NOON, 2), has_card=False
    ),
    Customer(
        *("Paolo Mazur", "electrician", "expenses", ("wallet_paolo",), _P.DAWN, 2), has_card=False
    ),
    Customer(
        *("Aroha Ngata", "printer", "expenses", ("wallet_aroha",), _P.DUSK, 2), has_card=False
    ),
    # Only in the past: the fair is over.
    Customer(
        *("Fair volunteers", "many hands", "fair", ("wallet_fair",), _P.DUSK, 9), has_card=False
    ),
)

PAYEES: Final = {payee.key: payee for payee in (*SHOPS, *WALLETS)}
FUND_OF: Final = {fund.key: fund for fund in FUNDS}
CUSTOMER_OF: Final = {customer.name: customer for customer in CUSTOMERS}
