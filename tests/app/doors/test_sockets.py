"""Live sockets: each for its own page and session, from our own pages, and only as long as both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.databases import PostgresPool, Raw, raw
from tests.support.live_socket import OpenPage, knock, live_socket, open_page
from tests.support.patience import PATIENCE_S
from tests.support.program import Program
from tests.support.visitor import HIDDEN

ALICE = {"email": "alice@example.com", "password": "wonderful brick 7 lamp"}
BOB = {"email": "bob@example.com", "password": "another fine 9 lantern"}


@dataclass
class Place:
    """A service of two stores with an owner each, and what is beneath it."""

    url: str
    beneath: Raw

    @contextmanager
    def enter(self, who: dict[str, str]) -> Iterator[httpx.Client]:
        """Sign somebody in."""
        with httpx.Client(timeout=PATIENCE_S) as http:
            assert http.post(f"{self.url}/login", data=who).status_code == 303
            yield http

    def leave(self, token: str) -> None:
        """Sign out, as the form does it."""
        with httpx.Client(timeout=PATIENCE_S, cookies={"fp_session": token}) as http:
            hidden = dict(HIDDEN.findall(http.get(f"{self.url}/logout").text))
            headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
            left = http.post(f"{self.url}/logout", data=hidden, headers=headers)
            assert left.headers["location"] == "/login"

    def is_stopped(self, store: str) -> bool:
        """Tell whether a store's sends are stopped."""
        return bool(
            self.beneath.value(
                "SELECT count(*) FROM wallets JOIN stores ON stores.id = wallets.store_id"
                f" WHERE name = '{store}' AND stopped_at IS NOT NULL"
            )
        )

    def is_soon_stopped(self, store: str) -> bool:
        """Wait until a store's sends are stopped."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.is_stopped(store) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.is_stopped(store)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    program = Program(tmp_path_factory.mktemp("sockets"), {})
    found(program, "Corner Café", ALICE)
    found(program, "Next door", BOB)
    with program.warm() as url, raw(f"sqlite:///{program.folder / 'data' / 'payouts.db'}") as below:
        yield Place(url, below)


def found(program: Program, store: str, owner: dict[str, str]) -> None:
    words = ("init", "--store", store, "--owner", owner["email"], "--password-stdin")
    made = program.run(*words, stdin=f"{owner['password']}\n")
    assert made.status == 0, made.err


@pytest.fixture
def alices(place: Place) -> OpenPage:
    with place.enter(ALICE) as http:
        return open_page(http, place.url)


@pytest.fixture
def bobs(place: Place) -> OpenPage:
    with place.enter(BOB) as http:
        return open_page(http, place.url)


def test_a_socket_acts_on_its_own_page_and_on_no_other(
    place: Place, alices: OpenPage, bobs: OpenPage
) -> None:
    forged = alices.click("Stop payouts")
    with live_socket(alices) as hers, live_socket(bobs) as his:
        his.say("event", forged)
        his.say("handshake", {"client_id": alices.client_id, "tab_id": "tab", "document_id": "d"})
        his.say("event", forged)
        his.say("event", forged | {"client_id": bobs.client_id})
        his.say("event", bobs.click("Stop payouts"))

        # What one socket says is taken in its order, so by now all before it was.
        assert place.is_soon_stopped("Next door")
        assert not place.is_stopped("Corner Café")
        hers.say("event", forged)
        assert place.is_soon_stopped("Corner Café")


def test_a_socket_needs_our_origin_its_session_and_its_page(
    place: Place, alices: OpenPage, bobs: OpenPage
) -> None:
    with place.enter(ALICE) as http:
        other_session = http.cookies["fp_session"]
    wrong = [
        {"origin": "https://evil.example"},
        {"origin": place.url.replace("http:", "https:").replace("127.0.0.1", "127.0.0.1.evil")},
        {"origin": "null"},
        {"token": ""},
        {"token": "x" * 43},
        {"token": bobs.token},
        {"token": other_session},
        {"client_id": ""},
        {"client_id": bobs.client_id},
    ]
    for each in wrong:
        assert knock(alices, **each) == 403, each
    with live_socket(alices):
        pass


def test_a_socket_ends_with_its_session_and_does_nothing_after(
    place: Place, alices: OpenPage
) -> None:
    place.beneath.run("UPDATE wallets SET stopped_at = NULL")
    with live_socket(alices) as hers, place.enter(ALICE) as elsewhere:
        place.beneath.run(
            "UPDATE sessions SET ended_at = created_at, end_reason = 'ended'"
            f" WHERE token_hash != '{elsewhere.cookies['fp_session']}'"
        )
        hers.say("event", alices.click("Stop payouts"))

        assert hers.ends() == ["/login"]
        assert not place.is_stopped("Corner Café")
    assert knock(alices) == 403


@pytest.mark.postgresql
def test_a_socket_at_one_instance_ends_with_a_session_that_ends_at_another(
    postgres_pool: PostgresPool, tmp_path: Path
) -> None:
    with postgres_pool.lend() as url:
        program = Program(tmp_path, {"DATABASE_URL": url})
        found(program, "Corner Café", ALICE)
        with program.warm() as one, program.warm() as two, raw(url) as beneath:
            here, there = Place(one, beneath), Place(two, beneath)
            with here.enter(ALICE) as http, there.enter(ALICE) as other:
                page, shown = open_page(http, one), open_page(other, two)
            with live_socket(page) as socket, live_socket(shown) as other_socket:
                there.leave(page.token)

                assert socket.ends() == ["/login"]
                other_socket.say("event", shown.click("Stop payouts"))
                assert there.is_soon_stopped("Corner Café")


def test_a_page_that_fails_says_nothing_of_the_inside(place: Place) -> None:
    with place.enter(ALICE) as http:
        place.beneath.run("ALTER TABLE second_factors RENAME TO hidden")
        try:
            failed = http.get(place.url, headers={"Connection": "close"})
        finally:
            place.beneath.run("ALTER TABLE hidden RENAME TO second_factors")

        assert failed.status_code == 503
        assert failed.headers["content-type"].startswith("text/plain")
        assert failed.headers["x-request-id"] in failed.text
        assert "Error" not in failed.text
        assert http.get(place.url).status_code == 200
