"""Cards at a whole door: added by their resident, opening like a PIN, and everything that only looks like one of them.

The cards are simulated (tools/simulator/cards); the six processes are the real ones.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.edges import Room
from tests.integration.door.conftest import PIN, SLOT
from tests.support.door import NOTED, OPENED, REFUSED, Heard, Home, door_up
from tools.simulator.world import HISTORY

KINDS = ("ntag424", "desfire-ev1", "desfire-ev2")
ADDED = Heard("DONE", opened=False)
NEIGHBOUR, THEIR_PIN = 7, "730158"


@dataclass
class Cards:
    """A door whose resident has no card yet, and a drawer of blank ones."""

    home: Home
    drawer: Path

    def blank(self, kind: str = "ntag424", name: str = "card") -> Path:
        """A new card as it comes from the shop."""
        card = self.drawer / f"{name}.json"
        assert self.home.doorsim("card", "new", str(card), "--kind", kind).code == 0
        return card

    def tapped(self, card: Path, pull_away_after: int | None = None) -> Heard:
        """Hold it to the reader, and hear the answer."""
        return self.home.does(lambda: self.home.door.tap(card, pull_away_after))

    def add(self, card: Path, slot: int = SLOT, pin: str = PIN) -> Heard:
        """Show the PIN for it, and the card."""
        assert self.home.types(f"07#{slot}#{pin}#") == NOTED
        return self.tapped(card)

    def added(self, kind: str = "ntag424", name: str = "card") -> Path:
        """A card that opens."""
        card = self.blank(kind, name)
        assert self.add(card) == ADDED
        return card


@pytest.fixture
def cards(door: Home, tmp_path: Path) -> Cards:
    return Cards(door, tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cards]:
    """One door for tests that leave it as they found it: the resident SLOT without a card."""
    with door_up(window_s=4) as home:
        home.move_in(SLOT, PIN)
        home.move_in(NEIGHBOUR, THEIR_PIN)
        yield Cards(home, tmp_path_factory.mktemp("drawer"))


@pytest.fixture(autouse=True)
def _no_cards_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "shared" in request.fixturenames:
        shared: Cards = request.getfixturevalue("shared")
        for slot, pin in ((SLOT, PIN), (NEIGHBOUR, THEIR_PIN)):
            shared.home.types(f"08#{slot}#{pin}#")
        if len(shared.home.door.state()["signals"]) > HISTORY // 2:  # the list of tones begins anew with the simulator
            shared.home.down()
            shared.home.up()


@pytest.mark.parametrize("kind", KINDS)
def test_a_blank_card_becomes_a_residents_and_opens_again_and_again(shared: Cards, kind: str) -> None:
    card = shared.blank(kind, f"blank-{kind}")
    assert shared.tapped(card) == REFUSED
    assert shared.add(card) == ADDED
    for _ in range(3):
        assert shared.tapped(card) == OPENED
        shared.home.goes_in()


def test_without_the_pin_no_card_is_added(shared: Cards) -> None:
    card = shared.blank(name="hopeful")
    assert shared.home.types(f"07#{SLOT}#910257#") == REFUSED
    assert shared.tapped(card) == REFUSED


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_cloner_copies_of_a_card_opens_nothing(shared: Cards, kind: str) -> None:
    card, clone = shared.added(kind, f"original-{kind}"), shared.drawer / f"clone-{kind}.json"
    assert shared.home.doorsim("card", "clone", str(card), str(clone)).code == 0
    assert shared.tapped(clone) == REFUSED
    assert shared.tapped(card) == OPENED


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_card_and_its_full_copy_the_second_to_be_used_is_refused(shared: Cards, kind: str) -> None:
    """Keys and all, as if somebody had opened the chip. The counter tells them apart, and the journal hears of it."""
    card, copy = shared.added(kind, f"opened-{kind}"), shared.drawer / f"copy-{kind}.json"
    shutil.copy(card, copy)
    assert shared.tapped(card) == OPENED
    shared.home.goes_in()
    assert shared.tapped(copy) == REFUSED
    assert shared.tapped(card) == OPENED


def test_a_bare_number_opens_nothing_and_cannot_be_added(shared: Cards) -> None:
    card = shared.blank("uid-only", "badge")
    assert shared.add(card) == REFUSED
    assert shared.tapped(card) == REFUSED


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_that_is_pulled_away_opens_nothing_and_is_not_harmed(shared: Cards, kind: str) -> None:
    card = shared.added(kind, f"pulled-{kind}")
    for answers in range(3):
        assert shared.tapped(card, pull_away_after=answers) == REFUSED
    assert shared.tapped(card) == OPENED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answers", [2, 5, 8])
def test_a_card_pulled_away_while_it_is_added_can_be_added_again(shared: Cards, kind: str, answers: int) -> None:
    card = shared.blank(kind, f"half-{kind}-{answers}")
    assert shared.home.types(f"07#{SLOT}#{PIN}#") == NOTED
    assert shared.tapped(card, pull_away_after=answers) == REFUSED
    assert shared.add(card) == ADDED
    assert shared.tapped(card) == OPENED


def test_a_neighbours_card_opens_for_the_neighbour_while_somebody_adds_one(shared: Cards) -> None:
    theirs, mine = shared.blank(name="theirs"), shared.blank(name="mine")
    assert shared.add(theirs, NEIGHBOUR, THEIR_PIN) == ADDED
    assert shared.home.types(f"07#{SLOT}#{PIN}#") == NOTED
    assert shared.tapped(theirs) == OPENED
    shared.home.goes_in()
    assert shared.tapped(mine) == ADDED
    assert shared.tapped(mine) == OPENED


def test_a_slot_has_two_cards_and_no_third(shared: Cards) -> None:
    one, other, third = (shared.blank(name=name) for name in ("one", "other", "third"))
    assert shared.add(one) == ADDED
    assert shared.add(other) == ADDED
    assert shared.add(third) == REFUSED
    assert shared.tapped(one) == OPENED


def test_cancelled_cards_open_nothing_and_can_be_added_anew(cards: Cards) -> None:
    card = cards.added()
    assert cards.home.types(f"08#{SLOT}#{PIN}#") == NOTED
    assert cards.tapped(card) == REFUSED
    assert cards.add(card) == ADDED
    assert cards.tapped(card) == OPENED


def test_a_card_of_another_house_is_refused_and_not_harmed(cards: Cards) -> None:
    card = cards.added("desfire-ev2")
    with door_up(window_s=4, door_id="aabbccddeeff0011") as elsewhere:
        elsewhere.move_in(SLOT, PIN)
        there = Cards(elsewhere, cards.drawer)
        assert there.tapped(card) == REFUSED
        assert there.add(card) == ADDED  # a DESFire card has room for several doors
        assert there.tapped(card) == OPENED
    assert cards.tapped(card) == OPENED


def test_a_new_resident_of_the_slot_inherits_no_card(cards: Cards) -> None:
    card = cards.added()
    cards.home.move_in(SLOT, "605817")
    assert cards.tapped(card) == REFUSED


def test_cards_open_without_eye_and_vault_and_after_a_power_cut(cards: Cards) -> None:
    card = cards.added()
    for room in (Room.EYE, Room.VAULT):
        cards.home.door.stop(room)
    assert cards.tapped(card) == OPENED
    cards.home.goes_in()
    cards.home.door.cut()
    cards.home.up()
    cards.home.well()
    assert cards.tapped(card) == OPENED


def test_wrong_pins_never_shut_a_card_out(cards: Cards) -> None:
    card = cards.added()
    for guess in range(5):
        assert cards.home.types(f"{SLOT}#91025{guess}#") == REFUSED
    assert cards.home.types(f"{SLOT}#{PIN}#") == REFUSED
    assert cards.tapped(card) == OPENED


def test_keeper_killed_in_the_middle_of_an_exchange_opens_nothing_and_the_card_goes_on(cards: Cards) -> None:
    card = cards.added()
    for _ in range(3):

        def tapped_and_killed() -> None:
            cards.home.door.tap(card)
            cards.home.door.kill(Room.KEEPER)

        assert cards.home.does(tapped_and_killed) in (REFUSED, OPENED)
        cards.home.well()
        cards.home.goes_in()
    assert cards.tapped(card) == OPENED


def test_nobody_reads_the_number_of_a_card_in_the_journal(cards: Cards) -> None:
    card = cards.added()
    assert cards.tapped(card) == OPENED
    uid = cards.home.doorsim("card", "show", str(card)).facts["uid"]
    told = cards.home.told().lower()
    assert uid.lower() not in told
    assert uid.lower() not in told.replace(":", "").replace(" ", "")
