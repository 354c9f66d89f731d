"""The residents' page at a whole door: what keys open it for whom, and what becomes of it when a part goes away.

Real processes, real TLS; browsers without a screen (`tests.support.browser`). The page itself: tests/browser.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from device.desk.page import listening
from device.desk.page.sittings import MOST_EACH, ROOM
from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT
from tests.support.browser import Browser
from tests.support.door import (
    EACH_A_SAMPLE,
    NOTED,
    OPENED,
    PATIENCE_S,
    REFUSED,
    TRIES,
    Heard,
    Home,
    another_picture,
    door_up,
    folder_of,
    resident_pictures,
)
from tools.portraits import portrait

NEIGHBOUR, THEIR_PIN = 7, "605817"


@pytest.fixture(scope="module")
def paged() -> Iterator[Home]:
    """A door with a page: SLOT and NEIGHBOUR live there, SLOT's face is enrolled by way of doorctl."""
    with door_up(window_s=4, page='port = 8443\naddress = "127.0.0.1"') as home:
        home.move_in(SLOT, PIN)
        home.move_in(NEIGHBOUR, THEIR_PIN)
        said = home.enrol(SLOT, PIN, *resident_pictures())
        assert said.facts["result"] == "done", said
        yield home


@pytest.fixture
def browsers(paged: Home) -> Iterator[Callable[[], Browser]]:
    """Telephones in front of that door; the page is armed, and nobody waits from the test before."""
    paged.door.kill(Room.DESK, signal.SIGTERM)
    paged.well()
    assert paged.types("012#") == NOTED
    with ExitStack() as open_ones:

        def another(address: str = "127.0.0.1") -> Browser:
            browser = open_ones.enter_context(Browser(paged.door.state()["page_port"], address))
            until(lambda: answers(browser), "the page to answer")
            return browser

        yield another


def until(done: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.05)


def answers(browser: Browser) -> bool:
    """Whether the page is served, and shows this browser its start."""
    try:
        browser.goes()
    except httpx.TransportError:
        return False
    return bool(browser.code)


def types_code(home: Home, code: str, slot: int = SLOT, pin: str = PIN) -> Heard:
    """The whole row; the answer to its second half, for the first half is noted in any case."""
    assert home.types("012#") == NOTED
    return home.types(f"{slot}#{pin}#{code}#")


def sits_down(home: Home, browser: Browser, slot: int = SLOT, pin: str = PIN) -> None:
    assert types_code(home, browser.code, slot, pin) == NOTED
    until(lambda: browser.sits, "the sitting")
    browser.goes()


def state(browser: Browser) -> str:
    """What the export says is held."""
    facts = browser._client.get("/export.json").json()
    return str(facts["face"]["state"])


# ---- who sits


def test_nothing_is_served_before_somebody_typed_012(paged: Home) -> None:
    until(lambda: paged.door.state()["page_port"] > 0, "the socket")
    paged.door.kill(Room.DESK, signal.SIGTERM)
    paged.well()
    with Browser(paged.door.state()["page_port"]) as browser:
        with pytest.raises(httpx.TransportError):
            browser.goes()
        assert paged.types("012#") == NOTED
        until(lambda: answers(browser), "the page to answer")
        assert not browser.sits


def test_of_two_browsers_the_one_whose_code_is_typed_sits_and_sees_its_own_slot(
    paged: Home, browsers: Callable[[], Browser]
) -> None:
    mine, theirs = browsers(), browsers()
    assert mine.code != theirs.code
    sits_down(paged, mine)
    assert not theirs.sits
    sits_down(paged, theirs, NEIGHBOUR, THEIR_PIN)
    assert (state(mine), state(theirs)) == ("awake", "none")


def test_a_wrong_pin_a_wrong_code_and_half_a_row_sit_nowhere(paged: Home, browsers: Callable[[], Browser]) -> None:
    browser = browsers()
    wrong = str(int(browser.code) ^ 1)
    assert types_code(paged, browser.code, pin="905217") == REFUSED
    assert types_code(paged, wrong) == NOTED, "whether a browser shows a code is nothing the keypad tells"
    assert types_code(paged, "1234") == REFUSED
    assert types_code(paged, f"0{browser.code[1:]}") == REFUSED
    assert not browser.sits
    sits_down(paged, browser)


def test_a_thief_who_waits_with_a_code_of_his_own_gets_nothing(paged: Home, browsers: Callable[[], Browser]) -> None:
    before, mine, after = browsers(), browsers(), browsers()
    sits_down(paged, mine)
    for thief in (before, after):
        assert not thief.sits
        for action in ("/face/pause", "/face/erase/sure", "/leave"):
            thief.posts(action, token=thief.secret[:32])
        assert "export.json" not in thief.goes("/export")
    assert mine.sits
    assert state(mine) == "awake"


def test_the_code_of_a_browser_that_left_opens_nothing(paged: Home, browsers: Callable[[], Browser]) -> None:
    mine, other = browsers(), browsers()
    gone = mine.code
    sits_down(paged, mine)
    mine.sends("/leave")
    assert types_code(paged, gone) == NOTED
    assert (mine.sits, other.sits) == (False, False)
    mine.goes()
    assert mine.code not in ("", gone)


def test_who_leaves_is_out_and_so_is_whoever_kept_the_cookie(paged: Home, browsers: Callable[[], Browser]) -> None:
    mine, copy = browsers(), browsers()
    sits_down(paged, mine)
    copy.takes(mine.secret)
    assert copy.sits, "a cookie is a sitting's whole secret"
    mine.sends("/leave")
    assert not copy.sits
    copy.goes("/export")
    assert "awake" not in copy.screen


def test_the_same_flat_sits_once(paged: Home, browsers: Callable[[], Browser]) -> None:
    first, second = browsers(), browsers()
    sits_down(paged, first)
    sits_down(paged, second)
    until(lambda: not first.sits, "the end of the first")
    assert second.sits
    assert types_code(paged, "100000") == NOTED
    until(lambda: not second.sits, "the end of the second, by a code that nobody shows")


# ---- room for everybody

ENEMY, MINE = "127.0.1.{}", "127.0.0.9"


def test_one_who_takes_every_place_and_every_line_keeps_nobody_else_from_their_page(
    paged: Home, browsers: Callable[..., Browser]
) -> None:
    with ExitStack() as crowd:
        port = paged.door.state()["page_port"]
        for number in range(5):
            enemies = [crowd.enter_context(Browser(port, ENEMY.format(1 + number))) for _ in range(MOST_EACH)]
            for enemy in enemies:
                enemy.goes()
        ninth = crowd.enter_context(Browser(port, ENEMY.format(1)))
        assert "as soon as there is room" in ninth.goes(), "eight of one address, and no ninth"
        for number in range(3 * listening.MOST_EACH):
            crowd.enter_context(socket.create_connection(("127.0.0.1", port), 10, (ENEMY.format(1 + number % 5), 0)))
        mine = browsers(MINE)
        sits_down(paged, mine)
        assert state(mine) == "awake"


def test_who_finds_no_place_makes_room_at_the_keypad_with_a_pin_and_not_without(
    paged: Home, browsers: Callable[..., Browser]
) -> None:
    crowd = [browsers() for _ in range(MOST_EACH)]
    with Browser(paged.door.state()["page_port"]) as mine:
        assert "as soon as there is room" in mine.goes()
        assert types_code(paged, ROOM, pin="905217") == REFUSED
        mine.goes()
        assert mine.code == "", "a wrong PIN makes no room"
        assert types_code(paged, ROOM) == NOTED
        sits_down_after_looking_again(paged, mine)
    old = crowd[0].code
    crowd[0].goes()
    assert crowd[0].code not in ("", old)
    assert "Your earlier code is not good any more." in crowd[0].screen


def sits_down_after_looking_again(home: Home, browser: Browser) -> None:
    until(lambda: answers(browser), "a code")
    sits_down(home, browser)


# ---- acts


def test_pause_resume_and_a_doorctl_act_in_the_middle(paged: Home, browsers: Callable[[], Browser]) -> None:
    mine = browsers()
    sits_down(paged, mine)
    mine.sends("/face/pause")
    assert state(mine) == "paused"
    assert paged.act("resume", SLOT, PIN).facts["result"] == "done"
    assert mine.sits
    assert state(mine) == "awake"
    for _ in range(2):
        mine.goes()
        mine.sends("/face/pause")
        assert state(mine) == "paused"
        mine.goes()
        mine.sends("/face/resume")
        assert state(mine) == "awake"
    assert paged.types(f"{SLOT}#{PIN}#") == OPENED
    paged.goes_in()


def test_a_face_is_enrolled_looked_at_once_more_and_erased_at_the_page(
    paged: Home, browsers: Callable[[], Browser]
) -> None:
    mine = browsers()
    sits_down(paged, mine, NEIGHBOUR, THEIR_PIN)
    before = len(paged.records(Room.VAULT))
    for _ in range(TRIES):
        if enrols(paged, mine):
            break
    assert state(mine) == "awake"
    assert len(paged.records(Room.VAULT)) == before + 1
    first = mine.goes("/paper.txt")
    assert "BEGIN DOORWARD" in first
    for _ in range(TRIES):
        if enrols(paged, mine, again=True):
            break
    assert sittings(mine) == 2
    assert len(paged.records(Room.VAULT)) == before + 1
    assert "BEGIN DOORWARD" in mine.goes("/paper.txt") != first, "agreed to anew, and signed anew"
    mine.goes("/face/erase")
    mine.sends("/face/erase")
    mine.sends("/face/erase/sure")
    assert state(mine) == "none"
    assert len(paged.records(Room.VAULT)) == before
    assert "BEGIN DOORWARD" in mine.goes("/paper.txt")


def sittings(browser: Browser) -> int:
    """Of how many the face is made."""
    return int(browser._client.get("/export.json").json()["face"]["sittings"])


def enrols(home: Home, browser: Browser, *, again: bool = False) -> bool:
    """Agree on the telephone, press, look, and confirm at the keypad; whether the face, or the sitting, was kept."""
    pictures = (another_picture(), portrait("obama3.jpg", zoom=1.5)) if again else resident_pictures()
    home.door.show(folder_of(home.root / f"neighbour-{time.monotonic_ns()}", pictures), fps=EACH_A_SAMPLE)
    path = "/face/again" if again else "/face/enrol"
    browser.goes(path)
    declared = {} if again else {"whose": "adult", "how": "bare"}  # of a face that is kept it was declared
    browser.sends(path, **declared, agree="yes", answer="yes")
    assert browser.path == "/act"

    def seen() -> bool:
        now = browser.step()
        return bool(now["done"] or now["confirm"])

    home.press_until(seen, "the question for the PIN, or a refusal")
    if not browser.step()["done"]:
        home.until(lambda now: not now["indicator"], "the door dark")
        assert home.types(f"01#{NEIGHBOUR}#{THEIR_PIN}#") == NOTED
        until(lambda: bool(browser.step()["done"]), "the end of the enrolment")
    return state(browser) == "awake" and sittings(browser) == 1 + again


# ---- what goes away


def test_desk_started_anew_knows_no_sitting_and_is_not_armed(paged: Home, browsers: Callable[[], Browser]) -> None:
    mine = browsers()
    sits_down(paged, mine)
    paged.door.kill(Room.DESK)
    paged.well()
    with pytest.raises(httpx.TransportError):
        mine.goes()
    assert paged.types("012#") == NOTED
    until(lambda: answers(mine), "the page to answer")
    assert not mine.sits
    mine.posts("/face/pause", token="x")
    sits_down(paged, mine)
    assert state(mine) == "awake"


def test_vault_away_is_told_and_vault_started_anew_knows_no_sitting(
    paged: Home, browsers: Callable[[], Browser]
) -> None:
    mine = browsers()
    sits_down(paged, mine)
    paged.door.kill(Room.VAULT, signal.SIGSTOP)
    try:
        assert mine._client.get("/export.json").status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert mine.sits
        assert paged.types(f"{SLOT}#{PIN}#") == OPENED, "the page is nothing that PIN and card wait for"
        paged.goes_in()
    finally:
        paged.door.kill(Room.VAULT, signal.SIGCONT)
    until(lambda: mine._client.get("/export.json").status_code == httpx.codes.OK, "vault to answer")
    paged.door.kill(Room.VAULT)
    paged.well()
    until(lambda: "export.json" not in mine.goes("/export") and not mine.sits, "the end of the sitting")
    assert paged.alarms() == 0


def test_a_door_without_a_page_says_no_to_012_and_opens_as_ever() -> None:
    with door_up() as home:
        home.move_in(SLOT, PIN)
        assert home.types("012#") == REFUSED
        assert home.types(f"{SLOT}#{PIN}#") == OPENED
        assert home.door.state()["page_port"] == 0
