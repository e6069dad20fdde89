"""All pages, registered in one place, in the order of the navigation."""

from __future__ import annotations

from app.container import Container
from app.live import Boards
from app.pages.account import ACCOUNT
from app.pages.boltcards import BOLTCARDS
from app.pages.dashboard import DASHBOARD
from app.pages.people import PEOPLE
from app.pages.pull_payments import PULL_PAYMENTS
from app.pages.record import RECORD
from app.pages.settings import SETTINGS
from app.pages.shell import register_shell
from app.pages.style_sheet import serve_style_sheet
from app.pages.wallet import WALLET
from components.payout_table import install_payout_table
from components.plotly_bundle import install_plotly_bundle
from components.preferences import install_preferences

PLACES = (DASHBOARD, PULL_PAYMENTS, BOLTCARDS, WALLET, RECORD, PEOPLE, SETTINGS, ACCOUNT)


def register_pages(container: Container, boards: Boards) -> None:
    """Have every page served."""
    serve_style_sheet()
    install_preferences()
    install_plotly_bundle()
    install_payout_table()
    register_shell(container, boards, PLACES)
