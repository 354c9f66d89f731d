"""Whoever was sent an invitation that somebody else redeemed hears that it was used; nobody else learns anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import wire
from device.errors import RecordRefused
from device.keeper import match as matching
from device.keeper import record
from device.keeper.match import By, Decoys, Match, Shown
from device.keeper.pin import Verifiers
from device.keeper.record import NO_SALT, NOTHING, Credential, Kind
from device.keeper.throttle import Admission, Counts, Throttle
from device.wire import Outcome, Proof, Secret
from tests.unit.keeper.bench import DAY, DURESS, GUESTS, INVITATION, NOON, PIN, Door

WRONG = "905217334455"
NEW = "662071"
NEXT_INVITATION = "118273645509"


def redeems(door: Door, digits: str, slot: int = 12) -> Outcome:
    return door.set_secret(Secret.PIN, digits, NEW, slot, Proof.INVITATION)


@pytest.fixture
def taken(door: Door) -> Door:
    """Somebody moved in at 12, with everything that can stand beside a PIN; 14 has an open invitation."""
    door.move_in(12)
    assert door.set_secret(Secret.DURESS, PIN, DURESS) is Outcome.ACCEPTED
    assert door.set_secret(Secret.GUESTS, PIN, GUESTS) is Outcome.ACCEPTED
    door.invite(14)
    return door


def test_used_invitation_is_known_again_and_no_other_digits_are(taken: Door) -> None:
    held = taken.guard.book.held(12)
    assert redeems(taken, INVITATION) is Outcome.USED
    assert taken.guard.book.held(12) == held, "it sets nothing"
    for digits in (WRONG, PIN, DURESS, "", INVITATION[:-1], INVITATION + "0"):
        taken.wait(3600)
        assert redeems(taken, digits) is Outcome.REFUSED
    taken.wait(3600)
    assert redeems(taken, INVITATION, 15) is Outcome.REFUSED, "a flat nobody was offered"
    assert taken.check(PIN) is Outcome.ACCEPTED


def test_used_invitation_opens_grants_and_sets_nothing_in_the_place_of_a_pin(taken: Door) -> None:
    assert taken.check(INVITATION) is Outcome.REFUSED
    assert taken.proof(INVITATION) is Outcome.REFUSED
    for secret in Secret:
        assert taken.set_secret(secret, INVITATION, GUESTS if secret is Secret.GUESTS else NEW) is Outcome.REFUSED


def test_used_invitation_is_known_after_a_restart_another_pin_and_its_expiry(taken: Door) -> None:
    assert taken.set_secret(Secret.PIN, PIN, NEW) is Outcome.ACCEPTED
    taken.boot()
    taken.wait(2 * 86_400)
    assert taken.unix_s > NOON + 86_400, "the invitation itself would be over"
    assert redeems(taken, INVITATION) is Outcome.USED
    assert taken.check(NEW) is Outcome.ACCEPTED


def test_newer_offer_withdrawal_and_end_forget_it(taken: Door) -> None:
    assert taken.invite(12, 2, NEXT_INVITATION) is wire.Result.DONE
    assert redeems(taken, INVITATION) is Outcome.REFUSED, "what was offered anew is open, and only by its own digits"
    assert redeems(taken, NEXT_INVITATION) is Outcome.ACCEPTED
    assert redeems(taken, INVITATION) is Outcome.REFUSED
    assert redeems(taken, NEXT_INVITATION) is Outcome.USED
    kept = taken.ask(wire.SlotOffer.withdrawal(12, 3))
    assert isinstance(kept, wire.OfferKept)
    assert redeems(taken, NEXT_INVITATION) is Outcome.REFUSED
    held = taken.guard.book.held(12)
    assert held
    assert (held.former, held.former_salt) == (NOTHING, NO_SALT)


def test_tenancy_that_is_over_says_nothing_of_its_invitation_and_keeps_nothing_of_it(door: Door) -> None:
    door.move_in(12, ends=NOON + 3600)
    assert redeems(door, INVITATION) is Outcome.USED
    door.wait(3601)
    assert redeems(door, INVITATION) is Outcome.REFUSED
    door.live(3700)
    held = door.guard.book.held(12)
    assert held
    assert (held.kind, held.former, held.former_salt) == (Kind.ENDED, NOTHING, NO_SALT)


# ---- what it costs


def guesses_with_a_used_invitation(door: Door) -> int:
    """How many wrong PINs somebody gets looked at who shows the used invitation between them, within one minute."""
    before = door.guard.throttle.counts().door
    for number in range(10):
        door.check(f"90521{number}")
        redeems(door, INVITATION)
    return door.guard.throttle.counts().door - before


def test_used_invitation_forgives_no_wrong_pin_and_costs_nobody_a_try(taken: Door) -> None:
    assert redeems(taken, INVITATION) is Outcome.USED
    assert taken.guard.throttle.counts() == Counts(0, {})
    assert guesses_with_a_used_invitation(taken) == 3
    assert redeems(taken, INVITATION) is Outcome.REFUSED, "whoever waits is refused, whatever they show"


def test_seeded_forgiveness_is_seen(taken: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgives(self: Throttle, slot: int, admission: Admission) -> None:
        self.settle(slot, admission)

    monkeypatch.setattr(Throttle, "take_back", forgives)
    for number in range(10):
        assert taken.check(f"90521{number}") is Outcome.REFUSED
        assert redeems(taken, INVITATION) is Outcome.USED, "never made to wait"


def test_wrong_invitation_at_a_taken_place_is_charged_like_a_wrong_pin(taken: Door) -> None:
    for _ in range(3):
        assert redeems(taken, WRONG) is Outcome.REFUSED
    assert taken.guard.throttle.counts() == Counts(3, {12: 3})
    assert taken.check(PIN) is Outcome.REFUSED, "the flat waits"
    taken.wait(30)
    assert taken.check(PIN) is Outcome.ACCEPTED


# ---- the pure core, with digits that stretch to whatever is compared


class Lucky(Verifiers):
    """Whose digits come out as whatever they are stretched to."""

    def verifier(self, slot: int, stretched: bytes) -> bytes:
        del slot
        return stretched


HELD = Credential(
    Kind.PIN,
    1,
    bytes(16),
    0,
    10,
    0,
    bytes(16),
    b"p" * 32,
    duress=b"d" * 32,
    former_salt=b"s" * 16,
    former=b"i" * 32,
)


def matched(kind: Kind, stretched: bytes, held: Credential = HELD) -> Match | None:
    return matching.match(Lucky(bytes(32)), Shown(12, kind, "1", day=DAY), stretched, held, Decoys())


def test_in_the_place_of_an_invitation_nothing_but_the_used_one_matches_a_taken_slot() -> None:
    assert matched(Kind.INVITATION, HELD.former) == Match(By.USED, HELD)
    for other in (HELD.verifier, HELD.duress, b"x" * 32):
        assert matched(Kind.INVITATION, other) is None
    assert matched(Kind.PIN, HELD.former) is None
    assert matched(Kind.PIN, HELD.verifier) == Match(By.RIGHT, HELD)


def test_slot_that_remembers_no_invitation_matches_none_not_even_by_zeros() -> None:
    forgotten = replace(HELD, former=NOTHING, former_salt=NO_SALT)
    decoys = Decoys(former=b"z" * 32)
    for stretched in (NOTHING, decoys.former):
        shown = Shown(12, Kind.INVITATION, "1")
        assert matching.match(Lucky(bytes(32)), shown, stretched, forgotten, decoys) is None


def test_record_with_a_used_invitation_where_there_is_no_pin_is_refused() -> None:
    assert record.unpack(record.pack(HELD)) == HELD
    for wrong in (
        replace(HELD, former=NOTHING),
        replace(HELD, kind=Kind.INVITATION),
        replace(HELD.ended(), former=b"i" * 32),
    ):
        with pytest.raises(RecordRefused):
            record.unpack(record.pack(wrong))
