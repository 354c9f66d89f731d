"""A duress PIN opens, proves and sets as the PIN does; only the one value says so, and no slip of a finger calls."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import wire
from device.edges import Room
from device.keeper import changes, choice
from device.keeper import match as matching
from device.keeper.match import By, Match, Shown
from device.keeper.pin import Verifiers
from device.keeper.record import NO_BOX, NOTHING, Credential
from device.wire import Outcome, Proof, Purpose, Secret
from tests.unit.keeper.bench import DURESS, GUESTS, INVITATION, PIN, Door

OTHER = "662071"
CLOSE_TO_DURESS = "739195"
LONG = "90521764"


@pytest.fixture
def afraid(home: Door) -> Door:
    """Slot 12 has a PIN and a duress PIN."""
    assert home.set_secret(Secret.DURESS, PIN, DURESS) is Outcome.ACCEPTED
    home.house.to(Room.VAULT)
    return home


def held(door: Door, slot: int = 12) -> Credential:
    found = door.guard.book.held(slot)
    assert found
    return found


def test_both_open_and_one_of_them_calls_for_help(afraid: Door) -> None:
    assert [afraid.check(digits) for digits in (PIN, DURESS, OTHER)] == [
        Outcome.ACCEPTED,
        Outcome.DURESS,
        Outcome.REFUSED,
    ]
    afraid.boot()
    assert (afraid.check(DURESS), afraid.check(PIN)) == (Outcome.DURESS, Outcome.ACCEPTED)


@pytest.mark.parametrize("purpose", Purpose)
def test_it_grants_what_the_pin_grants(afraid: Door, purpose: Purpose) -> None:
    seen = []
    for digits, outcome in ((PIN, Outcome.ACCEPTED), (DURESS, Outcome.DURESS)):
        assert afraid.proof(digits, purpose) is outcome
        seen.append([(room, type(msg)) for room, msg in afraid.house.sent])
        afraid.house.sent.clear()
    assert seen[0] == seen[1] == [(Room.VAULT, wire.Grant), (Room.DESK, wire.GrantTicket)]


def test_a_pin_set_under_duress_takes_its_place_and_the_residents_own_stays(afraid: Door) -> None:
    """To whoever stands beside the resident it looks as if the PIN had been changed."""
    assert afraid.set_secret(Secret.PIN, DURESS, OTHER) is Outcome.DURESS
    assert [afraid.check(digits) for digits in (DURESS, OTHER, PIN)] == [
        Outcome.REFUSED,
        Outcome.DURESS,
        Outcome.ACCEPTED,
    ]


@pytest.mark.parametrize("new", [OTHER, "0"])
def test_a_duress_pin_set_or_forgotten_under_duress_changes_nothing(afraid: Door, new: str) -> None:
    before = held(afraid)
    assert afraid.set_secret(Secret.DURESS, DURESS, new) is Outcome.DURESS
    assert held(afraid) == before
    assert afraid.check(DURESS) is Outcome.DURESS


def test_it_is_forgotten_by_a_single_0_and_by_the_pin_alone(afraid: Door) -> None:
    assert afraid.set_secret(Secret.DURESS, PIN, "0") is Outcome.ACCEPTED
    assert (held(afraid).duress, held(afraid).duress_box) == (NOTHING, NO_BOX)
    assert (afraid.check(DURESS), afraid.check(PIN)) == (Outcome.REFUSED, Outcome.ACCEPTED)


def test_it_stays_when_the_pin_is_changed(afraid: Door) -> None:
    salt = held(afraid).salt
    assert afraid.set_pin(PIN, OTHER, proof=Proof.PIN)
    assert [afraid.check(digits) for digits in (PIN, OTHER, DURESS)] == [
        Outcome.REFUSED,
        Outcome.ACCEPTED,
        Outcome.DURESS,
    ]
    assert held(afraid).salt == salt
    assert not afraid.set_pin(OTHER, CLOSE_TO_DURESS, proof=Proof.PIN), (
        "its digits are still known to who shows the PIN"
    )


def test_a_new_offer_and_the_end_of_a_tenancy_forget_it(afraid: Door) -> None:
    afraid.invite(serial=2)
    assert afraid.set_pin(INVITATION, PIN)
    assert (afraid.check(PIN), afraid.check(DURESS)) == (Outcome.ACCEPTED, Outcome.REFUSED)


def test_whoever_moves_in_has_a_salt_of_their_own(door: Door) -> None:
    for slot in (12, 13):
        door.move_in(slot)
    assert len({held(door, slot).salt for slot in (12, 13)} | {door.offer().salt}) == 3


@pytest.mark.parametrize(
    "new", [PIN, "482914", "182913", "123456", "121212", "48291", "4829130571649", "", "00", GUESTS, "147258"]
)
def test_a_duress_pin_follows_the_rules_of_pins_and_stays_away_from_the_pin(home: Door, new: str) -> None:
    before, stretched = held(home), home.stretched
    assert home.set_secret(Secret.DURESS, PIN, new) is Outcome.REFUSED
    assert held(home) == before
    assert home.stretched == stretched, "judged by the digits alone"


@pytest.mark.parametrize("new", ["482931", "4829137", "739105", LONG])
def test_two_places_or_another_length_are_far_enough(home: Door, new: str) -> None:
    assert home.set_secret(Secret.DURESS, PIN, new) is Outcome.ACCEPTED
    assert home.check(new) is Outcome.DURESS


@pytest.mark.parametrize("new", [DURESS, "739106", "039105", CLOSE_TO_DURESS])
def test_a_later_pin_does_not_come_near_it_and_is_refused_like_any_other(afraid: Door, new: str) -> None:
    before = held(afraid)
    assert afraid.set_secret(Secret.PIN, PIN, new) is Outcome.REFUSED
    assert held(afraid) == before
    assert afraid.check(PIN) is Outcome.ACCEPTED


def test_a_pin_near_the_residents_own_may_follow_it(afraid: Door) -> None:
    assert afraid.set_pin(PIN, "482914", proof=Proof.PIN)


def test_after_a_pin_was_set_under_duress_the_very_same_digits_are_refused(afraid: Door) -> None:
    afraid.set_secret(Secret.PIN, DURESS, OTHER)
    assert not afraid.set_pin(PIN, OTHER, proof=Proof.PIN)
    assert afraid.set_pin(PIN, "271828", proof=Proof.PIN)
    assert (afraid.check("271828"), afraid.check(OTHER)) == (Outcome.ACCEPTED, Outcome.DURESS)


@pytest.mark.parametrize("secret", [Secret.DURESS, Secret.GUESTS])
@pytest.mark.parametrize("new", [DURESS, GUESTS, "0"])
def test_an_invitation_sets_nothing_but_the_pin(door: Door, secret: Secret, new: str) -> None:
    door.invite()
    assert door.set_secret(secret, INVITATION, new, proof=Proof.INVITATION) is Outcome.REFUSED
    assert door.set_pin(INVITATION, PIN), "and is not burnt"


def test_it_is_given_back_like_the_pin(afraid: Door) -> None:
    for _ in range(5):
        assert afraid.check(OTHER) is Outcome.REFUSED
        assert afraid.check(OTHER) is Outcome.REFUSED
        assert afraid.check(DURESS) is Outcome.DURESS
    assert afraid.guard.throttle.counts().slots == {}


def test_it_meets_the_same_delay(afraid: Door) -> None:
    for _ in range(3):
        afraid.check(OTHER)
    assert (afraid.check(DURESS), afraid.check(PIN)) == (Outcome.REFUSED, Outcome.REFUSED)


def test_the_digits_of_it_are_readable_to_nobody_without_the_pin(afraid: Door) -> None:
    guard, found = afraid.guard, held(afraid)
    for digits, readable in ((PIN, DURESS), (DURESS, ""), (OTHER, "")):
        proven = changes.Proven(found, By.RIGHT, afraid.stretch(digits, found.salt))
        assert changes._open(12, proven, guard.verifiers) == readable
    assert changes._open(13, changes.Proven(found, By.RIGHT, afraid.stretch(PIN, found.salt)), guard.verifiers) == ""


@given(st.text("0123456789", min_size=6, max_size=12), st.data())
def test_one_slipped_finger_is_near_and_two_are_not(pin: str, data: st.DataObject) -> None:
    first, second = data.draw(st.lists(st.integers(0, len(pin) - 1), min_size=2, max_size=2, unique=True))

    def slip(digits: str, place: int) -> str:
        return digits[:place] + str((int(digits[place]) + data.draw(st.integers(1, 9))) % 10) + digits[place + 1 :]

    once = slip(pin, first)
    assert choice.near(pin, pin)
    assert choice.near(pin, once)
    assert not choice.near(pin, slip(once, second))
    assert not choice.near(pin, pin + "7")


def test_if_both_were_the_same_digits_they_would_be_the_pin(afraid: Door) -> None:
    both = dataclasses.replace(held(afraid), duress=held(afraid).verifier)
    afraid.guard.book.keep(12, both)
    assert afraid.check(PIN) is Outcome.ACCEPTED


# ---- seeded faults


def test_a_slip_that_would_call_is_found_if_the_rule_is_taken_out(
    afraid: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "near", lambda _pin, _other: False)
    assert afraid.set_pin(PIN, CLOSE_TO_DURESS, proof=Proof.PIN)
    slips = [CLOSE_TO_DURESS[:4] + digit + CLOSE_TO_DURESS[5:] for digit in "0123456789"]
    assert Outcome.DURESS in [afraid.check(digits) for digits in slips]


def test_what_is_compared_with_where_there_is_no_duress_pin_opens_nothing(home: Door) -> None:
    decoys, found = home.guard.decoys, held(home)

    class Lucky(Verifiers):
        def verifier(self, slot: int, stretched: bytes) -> bytes:
            return decoys.duress

    shown = Shown(12, found.kind, OTHER)
    assert matching.match(Lucky(bytes(32)), shown, bytes(32), found, decoys) is None
    with_one = dataclasses.replace(found, duress=decoys.duress)
    assert matching.match(Lucky(bytes(32)), shown, bytes(32), with_one, decoys) == Match(By.DURESS, with_one)


def test_random_pins_and_duress_pins_never_answer_for_each_other(door: Door) -> None:
    dice = random.Random(9)
    for slot in range(1, 21):
        pin, duress, wrong = (f"{dice.randrange(10**8):08d}" for _ in range(3))
        door.move_in(slot, pin)
        assert door.set_secret(Secret.DURESS, pin, duress, slot) is Outcome.ACCEPTED
        asked = dice.sample([(pin, 1), (duress, 3), (wrong, 0)], 3)
        assert [door.check(digits, slot) for digits, _ in asked] == [outcome for _, outcome in asked]
