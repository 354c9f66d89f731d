"""A place that the manager withdrew: nothing of it is left, nothing of it comes back, and it can be offered again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.keeper import offers, record
from device.keeper.record import Credential, Kind
from device.wire import Proof, Result, SlotOffer
from tests.unit.keeper.bench import INVITATION, NOON, PIN, Door

OTHER = "118402957336"


def withdraw(door: Door, slot: int = 12, serial: int = 2) -> Result:
    kept = door.ask(SlotOffer.withdrawal(slot, serial))
    assert isinstance(kept, wire.OfferKept)
    return kept.result


def held(door: Door, slot: int = 12) -> Credential:
    found = door.guard.book.held(slot)
    assert found is not None
    return found


def test_a_withdrawn_place_opens_nothing_at_once_and_after_a_power_cut(home: Door) -> None:
    assert withdraw(home) is Result.DONE
    for _ in range(2):
        assert not home.type_in(PIN)
        assert not home.set_pin(PIN, "271828", proof=Proof.PIN)
        home.boot()
        home.wait(600)


def test_nothing_that_matched_digits_is_left_of_a_withdrawn_place(home: Door) -> None:
    before = held(home)
    withdraw(home)
    assert held(home) == held(home).ended()
    assert (held(home).kind, held(home).serial) == (Kind.ENDED, 2)
    assert before.verifier not in record.pack(held(home))
    home.boot()
    assert held(home) == held(home).ended()


def test_an_open_invitation_is_withdrawn_with_its_place(door: Door) -> None:
    door.invite()
    assert withdraw(door) is Result.DONE
    assert not door.set_pin(INVITATION, PIN)


def test_no_digits_take_a_withdrawn_place(home: Door) -> None:
    withdraw(home)
    for digits in (INVITATION, PIN, "0" * 12, OTHER):
        assert not home.set_pin(digits, "271828")
        home.wait(3600)


def test_an_older_offer_and_an_older_withdrawal_change_nothing(home: Door) -> None:
    withdraw(home, serial=3)
    assert home.invite(serial=1) is Result.STALE
    assert home.invite(serial=3, digits=OTHER) is Result.STALE
    assert withdraw(home, serial=3) is Result.DONE, "the very same, which lock may repeat after a power cut"
    assert home.invite(serial=4, digits=OTHER) is Result.DONE
    assert home.set_pin(OTHER, "271828")
    assert withdraw(home, serial=3) is Result.STALE
    assert home.type_in("271828")


def test_a_withdrawn_place_is_offered_again_and_its_next_tenant_begins_with_nothing(home: Door) -> None:
    withdraw(home)
    assert home.invite(serial=3, digits=OTHER) is Result.DONE
    assert home.set_pin(OTHER, "271828")
    assert home.type_in("271828")
    assert not home.type_in(PIN)
    assert (held(home).guest_key, held(home).cards) == (record.NOTHING, record.NO_CARDS)


def test_a_withdrawal_takes_cards_codes_and_the_duress_pin_along(home: Door) -> None:
    full = replace(held(home), guest_key=b"\1" * 32, guest_used=1, cards=b"\2" * 7 + bytes(13) + bytes(20))
    withdrawn = offers.weigh(SlotOffer.withdrawal(12, 2), full, home.guard.verifiers, int(NOON))[1]
    assert withdrawn is not None
    assert withdrawn == withdrawn.ended()


def test_a_place_nobody_was_offered_can_be_withdrawn_and_stays_so(door: Door) -> None:
    assert withdraw(door, 13, serial=1) is Result.DONE
    assert held(door, 13) == held(door, 13).ended()


def test_other_places_notice_nothing(home: Door) -> None:
    home.move_in(13, "905217")
    assert withdraw(home, 12) is Result.DONE
    assert home.type_in("905217", 13)


def test_vault_hears_at_once_that_a_withdrawn_place_is_over(home: Door) -> None:
    home.vault_asks(12)
    withdraw(home)
    assert home.house.to(Room.VAULT) == [wire.PlaceEnded(12)]
    home.boot()
    assert home.vault_asks(12) == [wire.PlaceEnded(12)]


@pytest.mark.parametrize("offered_anew", [False, True])
def test_vault_that_was_away_hears_it_when_it_asks_also_if_the_place_was_offered_since(
    home: Door, *, offered_anew: bool
) -> None:
    home.vault_asks(12)
    home.go(Room.VAULT)
    withdraw(home)
    if offered_anew:
        home.invite(serial=3, digits=OTHER)
    home.come(Room.VAULT)
    assert home.vault_asks(12) == [wire.PlaceEnded(12)]


def test_a_place_that_ended_by_the_clock_is_no_word_of_the_manager_s(door: Door) -> None:
    door.move_in(12, ends=NOON + 100)
    door.vault_asks(12)
    door.unix_s = NOON + 200
    assert door.vault_asks(12) == [wire.CredentialAnswer(12, wire.NO_TENANCY, wire.NO_END)]


def test_seeded_fault_a_keeper_that_forgets_the_word_is_seen(home: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Credential, "over_for_good", property(lambda _held: False))
    home.vault_asks(12)
    withdraw(home)
    assert home.house.to(Room.VAULT) == [wire.LastCredentialGone(12)]


@pytest.mark.parametrize(
    "almost",
    [
        replace(SlotOffer.withdrawal(12, 2), verifier=b"\1" + bytes(31)),
        replace(SlotOffer.withdrawal(12, 2), salt=b"\1" + bytes(15)),
        replace(SlotOffer.withdrawal(12, 2), timetable=1),
        replace(SlotOffer.withdrawal(12, 2), ends_unix=NOON + 10),
        replace(SlotOffer.withdrawal(12, 2), slot=0),
    ],
    ids=["verifier", "salt", "timetable", "end", "slot"],
)
def test_what_is_almost_a_withdrawal_is_refused_and_changes_nothing(home: Door, almost: SlotOffer) -> None:
    kept = home.ask(replace(almost, ends_unix=int(almost.ends_unix)))
    assert isinstance(kept, wire.OfferKept)
    assert kept.result is Result.REFUSED
    assert home.type_in(PIN)


def test_seeded_fault_a_withdrawal_kept_as_an_invitation_is_seen(home: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlotOffer, "withdraws", property(lambda offer: offer.expires_unix == 0 and offer.slot == 99))
    assert withdraw(home) is Result.REFUSED, "without the guard it is an offer without an expiry"
    assert home.type_in(PIN), "and the PIN it was to end still opens"
