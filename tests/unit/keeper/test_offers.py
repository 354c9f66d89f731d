"""Invitations: redeemed once, by whoever has the digits, until they expire; a newer one cancels the PIN."""

from __future__ import annotations

import dataclasses

import pytest

from device import document, wire
from device.edges import Room
from device.errors import StoreFault
from device.keeper import book as book_module
from device.keeper import offers
from device.keeper.book import Book
from device.wire import Proof, Result, Secret
from tests.unit.keeper.bench import DAY, INVITATION, NOON, PIN, Door

OTHER = "118402957336"


def test_an_invitation_becomes_a_pin_once(door: Door) -> None:
    assert door.invite() is Result.DONE
    assert not door.type_in(PIN)
    assert door.set_pin(INVITATION, PIN)
    assert door.type_in(PIN)
    assert not door.type_in(INVITATION)
    assert not door.set_pin(INVITATION, "271828")
    assert door.type_in(PIN)


def test_pins_and_invitations_survive_a_power_cut(door: Door) -> None:
    door.move_in(12)
    door.invite(13)
    door.boot()
    assert door.type_in(PIN, 12)
    assert door.set_pin(INVITATION, "271828", 13)


def test_a_pin_is_changed_by_whoever_knows_the_old_one(home: Door) -> None:
    assert not home.set_pin("905217", "271828", proof=Proof.PIN)
    assert home.set_pin(PIN, "271828", proof=Proof.PIN)
    assert not home.type_in(PIN)
    assert home.type_in("271828")


@pytest.mark.parametrize("new", ["123456", "48291", INVITATION])
def test_a_weak_pin_is_refused_and_costs_nothing(door: Door, new: str) -> None:
    door.invite()
    assert not door.set_pin(INVITATION, new)
    assert door.stretched == 0
    assert door.guard.throttle.counts().slots == {}
    assert door.set_pin(INVITATION, PIN)


def test_a_changed_pin_leaves_the_tenancy_and_vault_hears_nothing_of_it(home: Door) -> None:
    tenancy = home.tenancy()
    home.vault_asks(12)
    assert home.set_pin(PIN, "271828", proof=Proof.PIN)
    assert home.tenancy() == tenancy
    assert home.house.to(Room.VAULT) == []


def test_wrong_invitations_are_charged_like_wrong_pins(door: Door) -> None:
    door.invite()
    assert not any(door.set_pin(OTHER, PIN) for _ in range(3))
    assert not door.set_pin(INVITATION, PIN)
    door.wait(30)
    assert door.set_pin(INVITATION, PIN)


def test_an_expired_invitation_is_refused(door: Door) -> None:
    door.invite(expires=NOON + 100)
    door.wait(100)
    assert not door.set_pin(INVITATION, PIN)


def test_an_invitation_lives_until_its_last_second(door: Door) -> None:
    door.invite(expires=NOON + 100)
    door.wait(99)
    assert door.set_pin(INVITATION, PIN)


def test_a_clock_from_before_the_offer_is_not_believed(door: Door) -> None:
    door.invite(expires=NOON + 100)
    door.unix_s = 0.0
    assert not door.set_pin(INVITATION, PIN)
    door.unix_s = NOON + 50
    assert door.set_pin(INVITATION, PIN)


def test_a_newer_offer_cancels_the_pin_at_once_and_vault_hears_it(home: Door) -> None:
    before = home.tenancy()
    assert home.vault_asks(12) == [wire.CredentialAnswer(12, before, wire.NO_END)]
    assert home.invite(serial=2, digits=OTHER) is Result.DONE
    assert home.house.to(Room.VAULT) == [wire.PlaceEnded(12)]
    assert not home.type_in(PIN)
    home.boot()
    assert home.vault_asks(12) == [wire.PlaceEnded(12)]
    assert not home.type_in(PIN)
    assert not home.set_pin(INVITATION, PIN)
    home.wait(30)
    assert home.set_pin(OTHER, "271828")
    assert home.house.to(Room.VAULT) == [wire.CredentialAnswer(12, home.tenancy(), wire.NO_END)]
    assert home.tenancy() != before


def test_the_same_offer_again_changes_nothing(home: Door) -> None:
    tenancy = home.tenancy()
    for _ in range(2):
        assert home.vault_asks(12) == [wire.CredentialAnswer(12, tenancy, wire.NO_END)]
        assert home.invite() is Result.DONE
        assert home.house.to(Room.VAULT) == []
        assert home.type_in(PIN)
        assert not home.set_pin(INVITATION, "271828")
        home.boot()
        home.wait(60)
    assert home.house.to(Room.VAULT) == []


def test_an_older_or_altered_offer_is_stale(home: Door) -> None:
    home.invite(serial=5, digits=OTHER)
    assert home.invite(serial=4) is Result.STALE
    assert home.invite(serial=5) is Result.STALE
    assert home.set_pin(OTHER, PIN)
    assert home.invite(serial=1) is Result.STALE
    assert home.type_in(PIN)


def test_offers_for_nobody_or_without_a_sane_end_are_refused(door: Door) -> None:
    assert door.invite(slot=0) is Result.REFUSED
    assert door.invite(expires=0) is Result.REFUSED
    assert door.invite(expires=NOON * 10**9) is Result.REFUSED
    assert door.invite(ends=-1) is Result.REFUSED
    assert door.invite(ends=NOON * 10**9) is Result.REFUSED
    assert door.guard.book.slots() == ()


def test_keeper_takes_every_time_that_a_document_may_hold(door: Door) -> None:
    assert offers.LATEST_UNIX == document.LATEST_UNIX
    assert door.invite(expires=document.LATEST_UNIX, ends=document.LATEST_UNIX) is Result.DONE


def test_an_offer_during_a_check_wins(home: Door) -> None:
    """The PIN was right when the check began, and cancelled when it ended."""
    home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
    home.say(home.offer(serial=2, digits=OTHER))
    home.worker.run()
    kept, verdict = home.house.to(Room.LOCK)
    assert isinstance(kept, wire.OfferKept)
    assert isinstance(verdict, wire.Verdict)
    assert verdict.outcome is wire.Outcome.REFUSED


def test_an_offer_during_a_change_of_pin_is_not_overwritten(home: Door) -> None:
    home.say(wire.SetPin(home.nonce(), Proof.PIN, Secret.PIN, 12, PIN, "271828"))
    home.say(home.offer(serial=2, digits=OTHER))
    home.worker.run()
    home.boot()
    assert not home.type_in("271828")
    assert home.set_pin(OTHER, "662071")


class FailingRecords:
    """A store whose change is made, or not made, and reported as failed."""

    def __init__(self, *, makes_it: bool) -> None:
        self.makes_it = makes_it
        self.held: dict[int, bytes] = {}
        self.fails = False

    def records(self) -> dict[int, bytes]:
        return dict(self.held)

    def put(self, slot: int, payload: bytes) -> None:
        if not self.fails or self.makes_it:
            self.held[slot] = payload
        if self.fails:
            msg = "the disk is full"
            raise StoreFault(msg)


@pytest.mark.parametrize("makes_it", [False, True])
def test_after_a_fault_the_book_says_what_the_disk_says(door: Door, makes_it: bool) -> None:
    store = FailingRecords(makes_it=makes_it)
    door.run_on(dataclasses.replace(door.guard, book=Book(store)))
    door.invite()
    assert door.vault_asks(12) == [wire.PlaceEnded(12)]
    store.fails = True
    assert not door.set_pin(INVITATION, PIN)
    assert door.taken(12) is makes_it
    assert door.house.to(Room.VAULT) == ([wire.CredentialAnswer(12, door.tenancy(), wire.NO_END)] if makes_it else [])
    assert door.type_in(PIN) is makes_it


def test_an_offer_the_disk_did_not_take_is_reported_as_such(door: Door) -> None:
    store = FailingRecords(makes_it=False)
    store.fails = True
    door.run_on(dataclasses.replace(door.guard, book=Book(store)))
    assert door.invite() is Result.FAULT


def test_a_full_door_takes_no_further_slot_but_serves_everybody(home: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MAX_SLOTS", 1)
    assert home.invite(slot=13) is Result.FAULT
    assert home.invite(slot=12, serial=2) is Result.DONE


def test_a_torn_record_is_refused_and_the_rest_lives(home: Door, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name for path in home.state.rglob("*.rec")}
    home.move_in(13)
    torn = next(path for path in home.state.rglob("*.rec") if path.name not in before)
    home.invite(14)
    torn = next((path for path in home.state.rglob("*.rec") if path.name == torn.name), torn)
    torn.write_bytes(torn.read_bytes()[:-1])
    home.boot()
    assert home.type_in(PIN, 12)
    assert not home.type_in(PIN, 13)
    assert home.set_pin(INVITATION, "271828", 14)
    assert "1 sealed records were refused" in capsys.readouterr().err
