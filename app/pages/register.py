"""All pages, registered in one place."""

from __future__ import annotations

from app.container import Container
from app.live import Boards
from app.pages.dashboard import register_dashboard
from components.plotly_bundle import install_plotly_bundle
from components.theme import install_theme


def register_pages(container: Container, boards: Boards) -> None:
    """Have every page served."""
    install_theme()
    install_plotly_bundle()
    register_dashboard(container, boards)
