"""Codes of guests: each opens what it says and no more, once is once, and they grant and set nothing."""

from __future__ import annotations

import pytest

from device import codes, wire
from device.edges import Room
from device.errors import StoreFault
from device.keeper import match as matching
from device.keeper.attempt import Attempt
from device.keeper.book import Book
from device.keeper.changes import Proven
from device.keeper.ends import GRACE_S, LOOK_S
from device.keeper.match import By, Match
from device.keeper.record import NOTHING, Credential
from device.keeper.throttle import Counts, Throttle
from device.wire import Outcome, Proof, Purpose, Secret
from tests.unit.keeper.bench import DAY, DURESS, GUESTS, INVITATION, NOON, PIN, Door

ANOTHER_SECRET = codes.secret("27182818284590")
TODAY = codes.Window(DAY, 1)
WEEK = codes.Window(DAY - 3, 7)


@pytest.fixture
def host(home: Door) -> Door:
    """Slot 12 has a PIN and a secret for its guests."""
    assert home.set_secret(Secret.GUESTS, PIN, GUESTS) is Outcome.ACCEPTED
    return home


def once(door: Door, number: int, slot: int = 12) -> str:
    return codes.write(door.guests_key(slot), codes.Once(number))


def window(door: Door, code: codes.Window, slot: int = 12) -> str:
    return codes.write(door.guests_key(slot), code)


def held(door: Door) -> Credential:
    found = door.guard.book.held(12)
    assert found
    return found


def later(door: Door) -> None:
    """As if nothing had been mistyped."""
    door.wait(4 * 3600)


def test_the_key_at_the_door_is_the_one_made_at_home(host: Door) -> None:
    assert held(host).guest_key == host.guests_key()


def test_every_one_time_code_opens_once_in_any_order(host: Door) -> None:
    for number in (63, 0, 17, 5):
        assert host.type_in(once(host, number))
        assert not host.type_in(once(host, number))
        later(host)
    host.boot()
    later(host)
    for number in (63, 0, 17, 5):
        assert not host.type_in(once(host, number)), "nor after a restart"
        later(host)
    assert host.type_in(once(host, 6))


@pytest.mark.slow
def test_all_64_numbers_open_once(host: Door) -> None:
    assert all(host.type_in(once(host, number)) for number in range(codes.NUMBERS))
    assert held(host).guest_used == 2**64 - 1
    for number in (0, 31, 63):
        later(host)
        assert not host.type_in(once(host, number))


@pytest.mark.parametrize(("day", "opens"), [(-4, False), (-3, True), (0, True), (3, True), (4, False)])
def test_a_window_opens_on_its_days_as_often_as_one_likes(host: Door, day: int, opens: bool) -> None:
    host.day = DAY + day
    before = held(host)
    assert [host.type_in(window(host, WEEK)) for _ in range(3)] == [opens] * 3
    assert held(host) == before, "and writes nothing down"


def test_no_window_opens_while_the_clock_is_not_believed_and_one_time_codes_do(host: Door) -> None:
    host.day = wire.NO_DAY
    assert not host.type_in(window(host, WEEK))
    assert host.type_in(once(host, 1))


def test_a_code_is_of_one_flat(host: Door) -> None:
    host.move_in(13, DURESS)
    assert host.set_secret(Secret.GUESTS, DURESS, GUESTS, 13) is Outcome.ACCEPTED
    assert not host.type_in(once(host, 1), 13)
    assert not host.type_in(once(host, 1, 13), 12)
    assert host.type_in(once(host, 1, 13), 13)


def test_a_new_secret_ends_the_codes_of_the_old_one(host: Door) -> None:
    old = [once(host, 1), once(host, 2), window(host, WEEK)]
    assert host.type_in(old[0])
    assert host.set_secret(Secret.GUESTS, PIN, ANOTHER_SECRET) is Outcome.ACCEPTED
    for digits in old:
        later(host)
        assert not host.type_in(digits)
    assert held(host).guest_used == 0


def test_the_same_secret_again_brings_no_used_code_back(host: Door) -> None:
    assert host.type_in(once(host, 1))
    assert host.set_secret(Secret.GUESTS, PIN, GUESTS) is Outcome.ACCEPTED
    assert not host.type_in(once(host, 1))
    assert host.type_in(once(host, 2))


def test_a_single_0_forgets_the_secret_and_a_change_of_pin_does_not(host: Door) -> None:
    assert host.set_pin(PIN, "271828", proof=Proof.PIN)
    assert host.type_in(once(host, 1))
    assert host.set_secret(Secret.GUESTS, "271828", "0") is Outcome.ACCEPTED
    assert (held(host).guest_key, held(host).guest_used) == (NOTHING, 0)
    assert not host.type_in(once(host, 2))


def test_a_new_offer_ends_all_codes(host: Door) -> None:
    host.invite(serial=2)
    assert not host.type_in(once(host, 1))
    assert host.set_pin(INVITATION, PIN)
    assert not host.type_in(once(host, 1))


def test_the_end_of_the_tenancy_ends_all_codes(door: Door) -> None:
    door.move_in(ends=NOON + 1000)
    assert door.set_secret(Secret.GUESTS, PIN, GUESTS) is Outcome.ACCEPTED
    door.wait(999)
    assert door.type_in(once(door, 1))
    door.wait(1)
    assert not door.type_in(once(door, 2))
    door.live(GRACE_S + LOOK_S)
    assert held(door).guest_key == NOTHING


@pytest.mark.parametrize("mistyped", [GUESTS[:-1] + "0", GUESTS[1::-1] + GUESTS[2:], GUESTS[:-1], "00", "", PIN])
def test_a_mistyped_secret_is_refused_before_anything_is_looked_at(home: Door, mistyped: str) -> None:
    stretched = home.stretched
    assert home.set_secret(Secret.GUESTS, PIN, mistyped) is Outcome.REFUSED
    assert (held(home).guest_key, home.stretched) == (NOTHING, stretched)


def test_wrong_codes_meet_the_delay_of_wrong_pins(host: Door) -> None:
    for _ in range(3):
        assert not host.type_in("0" + "1" * 12)
    assert not host.type_in(once(host, 1)), "right, and refused because of the delay"
    assert held(host).guest_used == 0
    host.wait(30)
    assert host.type_in(once(host, 1))
    assert host.guard.throttle.counts() == Counts(3, {12: 3}), "a right code is given back, and forgives nothing else"
    assert host.type_in(PIN), "nor makes anybody wait again"
    assert host.guard.throttle.counts() == Counts(3, {})


def test_a_right_code_alone_costs_nothing(host: Door) -> None:
    for number in range(10):
        assert host.type_in(once(host, number))
        assert host.type_in(window(host, TODAY))
    assert host.guard.throttle.counts() == Counts(0, {})


def pins_tried_by_a_guest(host: Door) -> int:
    """How many PINs of the host are looked at in an hour while somebody opens with a window's code in between."""
    before = host.guard.throttle.counts().door
    for number in range(60):
        host.wait(60)
        host.type_in(window(host, TODAY))
        for digits in (f"9052{number:02d}", f"9053{number:02d}"):
            host.type_in(digits)
    return host.guard.throttle.counts().door - before + 2  # two came back within the hour


def test_a_guest_who_may_open_has_no_more_guesses_at_the_hosts_pin_than_anybody(host: Door) -> None:
    assert pins_tried_by_a_guest(host) <= 10


def test_a_guests_code_that_forgives_is_seen(host: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "take_back", Throttle.settle)
    assert pins_tried_by_a_guest(host) > 50


def codes_that_prove(door: Door) -> int:
    """How many of the personal acts and settings a guest gets through with a code that opens."""
    got = 0
    for digits in (once(door, 1), window(door, TODAY)):
        for purpose in Purpose:
            got += door.proof(digits, purpose) is not Outcome.REFUSED
            later(door)
        for secret, new in ((Secret.PIN, "271828"), (Secret.DURESS, DURESS), (Secret.GUESTS, ANOTHER_SECRET)):
            got += door.set_secret(secret, digits, new) is not Outcome.REFUSED
            later(door)
        for new in ("271828",):
            got += door.set_pin(digits, new)
            later(door)
    return got + len(door.house.sent)


def test_a_code_grants_nothing_and_sets_nothing(host: Door) -> None:
    host.house.sent.clear()
    assert codes_that_prove(host) == 0
    assert host.type_in(once(host, 1)), "and was not used up by trying"


def test_a_code_is_no_alarm(host: Door) -> None:
    host.set_secret(Secret.DURESS, PIN, DURESS)
    assert host.check(once(host, 1)) is Outcome.ACCEPTED
    assert host.check(window(host, TODAY)) is Outcome.ACCEPTED


def test_vault_hears_nothing_of_guests(host: Door) -> None:
    host.vault_asks(12)
    host.type_in(once(host, 1))
    host.set_secret(Secret.GUESTS, PIN, ANOTHER_SECRET)
    assert host.house.to(Room.VAULT) == []


def test_a_mark_that_the_disk_does_not_take_opens_nothing_and_stays_charged(
    host: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_self: Book, _slot: int, _credential: Credential) -> None:
        msg = "the disk is full"
        raise StoreFault(msg)

    with monkeypatch.context() as patch:
        patch.setattr(Book, "keep", full)
        assert not host.type_in(once(host, 1))
    assert host.guard.throttle.counts().slots == {12: 1}
    assert capsys.readouterr().err.count("the disk is full") == 1
    assert host.type_in(once(host, 1))


def test_without_a_secret_no_code_opens(home: Door) -> None:
    for key in (bytes(32), home.guests_key(), home.guard.decoys.guest_key):
        for code in (codes.Once(0), TODAY):
            assert not home.type_in(codes.write(key, code))
            later(home)


# ---- seeded faults


def test_a_code_that_grants_is_seen(host: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    by_code = matching._by_code

    def everywhere(code: codes.Code | None, _day: int | None, found: Credential) -> Match | None:
        return by_code(code, DAY, found)

    monkeypatch.setattr(matching, "_by_code", everywhere)
    host.house.sent.clear()
    assert codes_that_prove(host) > 0


def test_a_window_by_a_clock_that_is_not_believed_is_seen(host: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def credulous(code: codes.Code | None, _day: int | None, found: Credential) -> Match | None:
        return Match(By.GUEST, found) if isinstance(code, codes.Window) else None

    monkeypatch.setattr(matching, "_by_code", credulous)
    host.day = wire.NO_DAY
    assert host.type_in(window(host, WEEK))


def test_a_code_that_is_not_marked_is_seen(host: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Attempt, "_marked", lambda _self, _held: True)
    assert host.type_in(once(host, 1))
    assert host.type_in(once(host, 1))


def test_a_proof_says_by_what_it_was_earned(host: Door) -> None:
    found = held(host)
    shown = matching.Shown(12, found.kind, once(host, 3), day=DAY)
    matched = matching.match(host.guard.verifiers, shown, bytes(32), found, host.guard.decoys)
    assert matched == Match(By.GUEST, found.using(3))
    assert "stretched" not in repr(Proven(found, By.GUEST, b"s" * 32))
