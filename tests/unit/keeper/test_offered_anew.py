"""A taken place that is offered anew: nothing passes to whoever redeems the offer, and its resident is told."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from device import codes, wire
from device.errors import StoreFault
from device.keeper import attempt as attempt_module
from device.keeper import match as matching
from device.keeper import offers
from device.keeper.attempt import Attempt
from device.keeper.book import Book
from device.keeper.ends import LOOK_S
from device.keeper.match import By, Decoys, Match, Shown
from device.keeper.pin import Verifiers
from device.keeper.record import NO_BOX, NO_CARDS, NO_SALT, NOTHING, Credential, Kind
from device.keeper.throttle import Counts
from device.wire import Outcome, Proof, Purpose, Result, Secret, SlotOffer
from tests.unit.keeper.bench import DAY, DURESS, GUESTS, INVITATION, NOON, PIN, Door
from tests.unit.keeper.test_alike import CHECKED, Watch
from tests.unit.keeper.test_used_invitation import Lucky

ANEW = "118273645509"
NEWCOMER = "662071"
WRONG = "905217"
A_DAY_S = 86_400


@pytest.fixture
def taken(door: Door) -> Door:
    """Somebody lives at 12, with everything that can stand beside a PIN."""
    door.move_in(12)
    assert door.set_secret(Secret.DURESS, PIN, DURESS) is Outcome.ACCEPTED
    assert door.set_secret(Secret.GUESTS, PIN, GUESTS) is Outcome.ACCEPTED
    return door


def anew(door: Door, serial: int = 2, ends: int = wire.NO_END, digits: str = ANEW) -> None:
    """The manager offers 12 once more, for a day."""
    assert door.invite(12, serial, digits, int(door.unix_s) + A_DAY_S, ends) is Result.DONE


def held(door: Door) -> Credential:
    found = door.guard.book.held(12)
    assert found
    return found


def remembered(door: Door) -> bool:
    """Whether anything of who lived at 12 is on the disk."""
    now = held(door)
    return now.kind is not Kind.PIN and (now.former, now.former_salt) != (NOTHING, NO_SALT)


# ---- who lived there


def test_resident_of_a_place_that_is_offered_anew_is_told_so_and_nobody_else_is(taken: Door) -> None:
    assert taken.check(PIN) is Outcome.ACCEPTED
    anew(taken)
    for _ in range(2):
        assert taken.check(PIN) is Outcome.USED
        assert taken.check(PIN, 13) is Outcome.REFUSED, "another flat"
        for digits in (WRONG, DURESS, ANEW, INVITATION, "", PIN[:-1], PIN + "0"):
            taken.wait(3600)
            assert taken.check(digits) is Outcome.REFUSED
        taken.boot()
        taken.wait(3600)


def test_cancelled_pin_opens_proves_sets_and_redeems_nothing(taken: Door) -> None:
    anew(taken)
    before = held(taken)
    for purpose in Purpose:
        assert taken.proof(PIN, purpose) is Outcome.REFUSED
    for secret in Secret:
        taken.wait(3600)
        new = GUESTS if secret is Secret.GUESTS else NEWCOMER
        assert taken.set_secret(secret, PIN, new) is Outcome.REFUSED
    taken.wait(3600)
    assert taken.set_secret(Secret.PIN, PIN, NEWCOMER, 12, Proof.INVITATION) is Outcome.REFUSED
    assert held(taken) == before
    assert not taken.taken()


def test_nothing_of_the_resident_passes_to_whoever_redeems_the_new_offer(taken: Door) -> None:
    code = codes.write(taken.guests_key(), codes.Once(3))
    tenancy = taken.tenancy()
    anew(taken)
    assert taken.set_pin(ANEW, NEWCOMER)
    now = held(taken)
    assert (now.duress, now.duress_box, now.guest_key, now.cards) == (NOTHING, NO_BOX, NOTHING, NO_CARDS)
    assert now.offer_id != tenancy, "vault's face was bound to the old one"
    for digits in (PIN, DURESS, code):
        assert taken.check(digits) is Outcome.REFUSED, "another person's place says nothing of who lived there"
        taken.wait(3600)
    assert taken.check(NEWCOMER) is Outcome.ACCEPTED


def test_whoever_lives_elsewhere_hears_nothing_of_an_offer(taken: Door) -> None:
    taken.move_in(13, "271828")
    anew(taken)
    assert taken.check("271828", 13) is Outcome.ACCEPTED


def test_seeded_keeper_that_takes_the_cancelled_pin_for_right_is_seen(
    taken: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew(taken)
    honest = matching.match

    def believing(
        verifiers: Verifiers, shown: Shown, stretched: bytes, held: Credential | None, decoys: Decoys
    ) -> Match | None:
        found = honest(verifiers, shown, stretched, held, decoys)
        return replace(found, by=By.RIGHT) if found and found.by is By.USED else found

    monkeypatch.setattr(attempt_module, "match", believing)
    assert taken.check(PIN) is Outcome.ACCEPTED, "what the tests above would not let pass"


# ---- how long it is remembered


def test_cancelled_pin_is_gone_when_somebody_moves_in(taken: Door) -> None:
    pin = held(taken).verifier
    anew(taken)
    assert held(taken).former == pin
    assert taken.set_pin(ANEW, NEWCOMER)
    assert pin not in (held(taken).former, held(taken).verifier)
    assert taken.set_secret(Secret.PIN, ANEW, PIN, 12, Proof.INVITATION) is Outcome.USED, "its addressee hears as ever"


def test_cancelled_pin_is_gone_when_the_invitation_is_over_whoever_asks(taken: Door) -> None:
    anew(taken)
    taken.live(A_DAY_S - 1)
    assert taken.check(PIN) is Outcome.USED
    assert remembered(taken)
    taken.wait(2)
    assert taken.check(PIN) is Outcome.REFUSED, "before anybody looked"
    taken.live(2 * LOOK_S)
    assert not remembered(taken)
    taken.boot()
    assert held(taken).kind is Kind.INVITATION
    assert not remembered(taken)


def test_door_that_was_off_until_the_invitation_was_over_forgets_it_at_its_start(taken: Door) -> None:
    anew(taken)
    taken.wait(A_DAY_S + 1)
    taken.boot()
    taken.live(1)
    assert not remembered(taken)


def test_withdrawal_and_end_of_the_place_leave_nothing_of_it(taken: Door) -> None:
    anew(taken, ends=NOON + 7200)
    assert remembered(taken)
    taken.wait(7201)
    assert taken.check(PIN) is Outcome.REFUSED
    taken.live(4000)
    assert held(taken) == held(taken).ended()
    anew(taken, 3)
    assert not remembered(taken), "nobody lived there any more"
    assert taken.set_pin(ANEW, PIN)
    anew(taken, 4)
    assert remembered(taken)
    kept = taken.ask(SlotOffer.withdrawal(12, 5))
    assert isinstance(kept, wire.OfferKept)
    assert held(taken) == held(taken).ended()
    assert taken.check(PIN) is Outcome.REFUSED


def test_second_offer_before_anybody_moved_in_still_knows_who_lived_there(taken: Door) -> None:
    pin = held(taken).verifier
    anew(taken)
    anew(taken, 3, digits="907152638448")
    assert held(taken).former == pin
    assert taken.check(PIN) is Outcome.USED


def test_place_that_had_ended_by_itself_is_offered_to_the_next_without_a_trace(door: Door) -> None:
    door.move_in(12, ends=NOON + 60)
    door.wait(61)
    anew(door)
    assert not remembered(door)
    assert door.check(PIN) is Outcome.REFUSED


def test_place_nobody_took_remembers_nobody(door: Door) -> None:
    door.invite(12)
    anew(door)
    assert not remembered(door)
    assert offers.over_s(held(door), door.unix_s) is None


def test_disk_that_is_full_delays_the_forgetting_and_keeps_nobody_waiting(
    taken: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew(taken)
    keep, full = Book.keep, True

    def kept(self: Book, slot: int, fresh: Credential) -> None:
        if full:
            text = "no space left on the disk"
            raise StoreFault(text)
        keep(self, slot, fresh)

    monkeypatch.setattr(Book, "keep", kept)
    taken.live(A_DAY_S - 1)
    assert taken.live(600) <= 1 + 601 / LOOK_S + 1, "once a minute, not without a pause"
    assert remembered(taken)
    assert taken.check(PIN) is Outcome.REFUSED
    full = False
    taken.live(2 * LOOK_S)
    assert not remembered(taken)


def test_seeded_keeper_that_never_forgets_is_seen(taken: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "over_s", lambda _held, _now: None)
    anew(taken)
    taken.live(A_DAY_S + 2 * LOOK_S)
    assert remembered(taken)


# ---- what it costs, and what it looks like


def test_cancelled_pin_costs_nobody_a_try_and_forgives_no_wrong_one(taken: Door) -> None:
    anew(taken)
    assert taken.check(PIN) is Outcome.USED
    assert taken.guard.throttle.counts() == Counts(0, {})
    for _ in range(3):
        assert taken.check(WRONG) is Outcome.REFUSED
    assert taken.check(PIN) is Outcome.REFUSED, "whoever waits is refused, whatever they show"
    assert taken.guard.throttle.counts().door == 3


def test_cancelled_pin_is_the_work_of_a_wrong_one(taken: Door) -> None:
    anew(taken)
    taken.invite(14)
    watch, dice, known = Watch(taken), random.Random(11), 0
    shown = {"cancelled": (PIN, 12), "wrong": (WRONG, 12), "nobody lived there": (PIN, 14), "no flat": (PIN, 15)}
    for _ in range(20):
        for name, (digits, slot) in sorted(shown.items(), key=lambda _: dice.random()):
            taken.wait(dice.choice((0.0, 3600.0)))
            outcomes: list[Outcome] = []
            work = watch.of(lambda d=digits, s=slot, o=outcomes: o.append(taken.check(d, s)))  # type: ignore[misc]
            assert work == CHECKED, name
            assert name == "cancelled" or outcomes == [Outcome.REFUSED]
            known += outcomes == [Outcome.USED]
    assert known > 5, "it was seen, and not only waited for"


def test_seeded_write_for_whoever_is_known_again_is_seen(taken: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    anew(taken)
    finish = Attempt.finish

    def noted(self: Attempt, result: object) -> None:
        finish(self, result)  # type: ignore[arg-type] # whatever the line hands on
        if self.used:
            self.guard.book.keep(12, held(taken))

    monkeypatch.setattr(Attempt, "finish", noted)
    watch = Watch(taken)
    assert watch.of(lambda: taken.check(WRONG)) == CHECKED
    assert watch.of(lambda: taken.check(PIN)) != CHECKED


# ---- the pure core


def test_what_was_right_before_is_no_invitation_and_no_pin() -> None:
    offered = Credential(
        Kind.INVITATION, 2, bytes(16), 0, 10, 0, bytes(16), b"i" * 32, former_salt=b"s" * 16, former=b"p" * 32
    )

    def matched(kind: Kind, stretched: bytes, of: Credential = offered) -> Match | None:
        return matching.match(Lucky(bytes(32)), Shown(12, kind, "1", day=DAY), stretched, of, Decoys())

    assert matched(Kind.PIN, offered.former) == Match(By.USED, offered)
    assert matched(Kind.INVITATION, offered.verifier) == Match(By.RIGHT, offered)
    assert matched(Kind.INVITATION, offered.former) is None
    assert matched(Kind.PIN, offered.verifier) is None
    assert matched(Kind.PIN, NOTHING, offered.forgetting()) is None, "zeros are no PIN"
