"""What desk can do without a grant, with somebody else's, or with one that is used up: nothing, and it is told so."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from device import wire
from device.edges import Room
from device.vault.grants import Allowed, Grants
from device.wire import Grant, Message, Outcome, Purpose, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import CONSENT, TERMS, nonce, unit

ANNA, BO, CLEO = unit(1), unit(2), unit(3)
ACTS: dict[Purpose, Callable[[bytes], Message]] = {
    Purpose.ENROL: lambda grant: wire.Enrol(grant, CONSENT, under_14=False),
    Purpose.ERASE: wire.Erase,
    Purpose.PAUSE: wire.Pause,
    Purpose.RESUME: wire.Resume,
    Purpose.RENEW: lambda grant: wire.Renew(grant, CONSENT),
}


def settle(house: House) -> None:
    """ANNA in 11 is awake, BO in 12 is paused, CLEO in 13 has not agreed to the terms in force, 14 has only a PIN."""
    house.terms = replace(TERMS, purpose="an older purpose")
    house.restart_under(house.terms)
    house.enrol(13, CLEO)
    house.restart_under(TERMS)
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    house.act(wire.Pause, 12)
    house.move_in(14)
    house.sent[Room.DESK].clear()


# The slot on which each act would do something.
OF_USE = {Purpose.ENROL: 14, Purpose.ERASE: 11, Purpose.PAUSE: 11, Purpose.RESUME: 12, Purpose.RENEW: 13}


def everything(house: House) -> tuple[object, ...]:
    """All that an act could change."""
    faces = house.vault.faces
    assert isinstance(house.disk, SimulatedDisk)
    return (
        dict(faces._records),
        set(faces.awake.slots),
        faces._store._ring,
        house.disk.all_names(),
        house.enrolling,
        house.ready(),
        house.papers(),
    )


def changed_by(house: House, purpose: Purpose, grant: Callable[[House], bytes]) -> tuple[list[Result], bool]:
    """(what desk is told, whether anything changed) when it asks for `purpose` with some grant."""
    settle(house)
    name = grant(house)
    house.sent[Room.DESK].clear()
    before = everything(house)
    house.say(Room.DESK, ACTS[purpose](name))
    return house.results(name), everything(house) != before


# ---- the grants that are none


def made_up(_house: House) -> bytes:
    return nonce()


def all_zero(_house: House) -> bytes:
    return bytes(16)


def expired(house: House) -> bytes:
    name = house.grant(Purpose.ERASE, 11, seconds=5)
    house.wait(5)
    return name


def pushed_out(house: House) -> bytes:
    first = house.grant(Purpose.PAUSE, 11)
    for slot in range(20, 28):  # eight others: the same one twice would be an act at the keypad
        house.grant(Purpose.PAUSE, slot)
    return first


def from_before_a_restart(house: House) -> bytes:
    name = house.grant(Purpose.ERASE, 11)
    house.restart()
    house.connect()
    return name


def of_a_window(house: House) -> bytes:
    name = house.window()
    house.asked.discard(name)
    return name


NO_GRANTS = [made_up, all_zero, expired, pushed_out, from_before_a_restart, of_a_window]


@pytest.mark.exhaustive(8)
@pytest.mark.parametrize("purpose", ACTS)
@pytest.mark.parametrize("grant", NO_GRANTS)
def test_without_a_grant_no_act_is_done(house: House, purpose: Purpose, grant: Callable[[House], bytes]) -> None:
    assert changed_by(house, purpose, grant) == ([Result.NO_GRANT], False)


@pytest.mark.exhaustive(8)
@pytest.mark.parametrize("purpose", ACTS)
@pytest.mark.parametrize("other", [other for other in Purpose if other is not Purpose.PAGE])  # that: test_sittings.py
def test_a_grant_is_for_its_own_purpose(house: House, purpose: Purpose, other: Purpose) -> None:
    slot = OF_USE[purpose]
    results, changed = changed_by(house, purpose, lambda house: house.grant(other, slot))
    if purpose is other:
        assert changed, "or this test would show nothing"
        assert results in ([Result.DONE], [])
    else:
        assert (results, changed) == ([Result.NO_GRANT], False)


@pytest.mark.parametrize("purpose", ACTS)
def test_naming_a_grant_for_the_wrong_act_uses_it_up(house: House, purpose: Purpose) -> None:
    def misused(house: House) -> bytes:
        name = house.grant(purpose, OF_USE[purpose])
        wrong = Purpose.ERASE if purpose is not Purpose.ERASE else Purpose.PAUSE
        house.say(Room.DESK, ACTS[wrong](name))
        return name

    assert changed_by(house, purpose, misused) == ([Result.NO_GRANT], False)


@pytest.mark.parametrize("purpose", ACTS)
def test_a_grant_is_good_once(house: House, purpose: Purpose) -> None:
    def used(house: House) -> bytes:
        name = house.grant(purpose, OF_USE[purpose])
        house.say(Room.DESK, ACTS[purpose](name))
        back = {Purpose.ERASE: (11, ANNA)}.get(purpose)
        if back:
            house.enrol(*back)
        if purpose in (Purpose.PAUSE, Purpose.RESUME):
            house.act(wire.Resume if purpose is Purpose.PAUSE else wire.Pause, OF_USE[purpose])
        return name

    assert changed_by(house, purpose, used) == ([Result.NO_GRANT], False)


@pytest.mark.parametrize("purpose", [Purpose.ERASE, Purpose.PAUSE, Purpose.RESUME, Purpose.RENEW])
def test_an_act_changes_the_slot_of_its_grant_alone(house: House, purpose: Purpose) -> None:
    settle(house)
    slot = OF_USE[purpose]
    before = dict(house.vault.faces._records)
    grant = house.grant(purpose, slot)
    house.say(Room.DESK, ACTS[purpose](grant))
    assert house.result(grant) is Result.DONE
    after = house.vault.faces._records
    assert {other for other in before if after.get(other) != before[other]} == {slot}


def gained_by_guessing(house: House, guesses: int) -> set[str]:
    """What ten thousand random grants gain while real ones, for every act, are waiting to be named."""
    settle(house)
    for purpose, slot in OF_USE.items():
        house.grant(purpose, slot)
    house.sent[Room.DESK].clear()
    before = everything(house)
    rng, purposes = random.Random(1), list(ACTS)
    for at in range(guesses):
        house.say(Room.DESK, ACTS[purposes[at % len(purposes)]](rng.randbytes(16)))
    gained = {done.result.name for done in house.got(Room.DESK, wire.Done)} - {Result.NO_GRANT.name}
    assert len(house.sent[Room.DESK]) == guesses or gained
    if everything(house) != before:
        gained.add("changed")
    if house.probe(ANNA).outcome is not Outcome.ACCEPTED or house.probe(BO).outcome is not Outcome.REFUSED:
        gained.add("recognition")
    return gained


def test_ten_thousand_guessed_grants_do_nothing(house: House) -> None:
    assert gained_by_guessing(house, 10_000) == set()


# ---- seeded faults


def takes_any(self: Grants, nonce: bytes, purpose: Purpose, now_ns: int) -> Allowed | None:
    live = self._live.pop(nonce, None)
    return live[1] if live else Allowed(OF_USE[purpose], now_ns + 10**9)


def takes_any_purpose(self: Grants, nonce: bytes, _purpose: Purpose, _now_ns: int) -> Allowed | None:
    live = self._live.pop(nonce, None)
    return live[1] if live else None


def takes_twice(self: Grants, nonce: bytes, purpose: Purpose, _now_ns: int) -> Allowed | None:
    granted_for, allowed = self._live.get(nonce, (None, None))
    return allowed if granted_for is purpose else None


def test_a_vault_that_needs_no_grant_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grants, "take", takes_any)
    with another_house() as house:
        assert gained_by_guessing(house, 5) >= {"DONE", "changed"}
    for purpose in ACTS:
        with another_house() as house:
            assert changed_by(house, purpose, made_up)[1], purpose


def test_a_vault_that_takes_a_grant_for_any_act_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grants, "take", takes_any_purpose)
    for purpose in ACTS:
        other = Purpose.PAUSE if purpose is not Purpose.PAUSE else Purpose.ERASE
        with another_house() as house:
            assert changed_by(house, purpose, partial(House.grant, purpose=other, slot=OF_USE[purpose]))[1]


def test_a_vault_that_takes_a_grant_twice_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grants, "take", takes_twice)
    for purpose in (Purpose.ERASE, Purpose.PAUSE, Purpose.RESUME):
        with another_house() as house, pytest.raises(AssertionError):
            test_a_grant_is_good_once(house, purpose)


def test_a_grant_that_is_told_to_vault_by_keeper_alone_is_one(house: House) -> None:
    """Desk cannot make one: the message is not on its edge, whatever it writes into it."""
    settle(house)
    with pytest.raises(AssertionError):
        house.say(Room.DESK, Grant(nonce(), Purpose.ERASE, house.now_ns + 10**9, 11))
