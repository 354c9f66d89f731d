"""When a place ends: its face sleeps at once, is erased once the clock has meant it, and a jump costs nobody a face."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import wire
from device.edges import Room
from device.vault.expiry import LOOK_EVERY_NS, Expiry
from device.vault.faces import Faces
from device.vault.loop import Vault
from device.wire import Outcome, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import GRACE_NS, SECOND, unit

ANNA, BO, NEW = unit(1), unit(2), unit(3)
GRACE_S = GRACE_NS / SECOND
YEAR_S = 365 * 86_400


def moves_in_for(house: House, seconds: int) -> int:
    """ANNA enrols in slot 11 for so many seconds, BO in slot 12 without an end; when ANNA's place ends."""
    end = int(house.unix_s) + seconds
    house.ends[11] = end
    assert house.enrol(12, BO) is Result.DONE
    assert house.enrol(11, ANNA) is Result.DONE
    return end


def state(house: House) -> str:
    """How ANNA's face is; BO's is always awake."""
    assert house.probe(BO).slot == 12
    opens = house.probe(ANNA).outcome is Outcome.ACCEPTED
    assert house.claims(11) is opens
    house.wait(20)  # the failure is forgotten
    if opens:
        return "awake"
    return "asleep" if 11 in house.vault.faces else "gone"


# ---- the end


def test_a_face_sleeps_from_the_second_its_place_ends_and_is_erased_after_the_grace(house: House) -> None:
    assert isinstance(house.disk, SimulatedDisk)
    moves_in_for(house, 100)
    house.act(wire.Pause, 12)
    house.wait(99.5)
    assert house.ready() == (True, False)
    house.wait(1.5)
    assert house.ready() == (False, False), "told without being asked"
    house.act(wire.Resume, 12)
    assert state(house) == "asleep"
    before = house.disk.all_names()
    house.wait(GRACE_S - 50)
    assert state(house) == "asleep"
    house.wait(50)
    assert state(house) == "gone"
    assert len(house.disk.all_names()) == len(before) - 1
    assert house.papers()[2:] == [], "there is nobody to hand a receipt to"
    house.restart()
    house.connect()
    assert state(house) == "gone"


def test_whoever_asks_in_that_very_second_hears_that_it_is_over(house: House) -> None:
    end = moves_in_for(house, 100)
    house.unix_s = end - 0.001
    assert house.claims(11)
    house.unix_s = float(end)
    assert not house.claims(11), "no tick came between"
    assert house.probe(ANNA).outcome is Outcome.REFUSED


def test_faces_without_an_end_are_never_looked_at(house: House) -> None:
    house.enrol(11, ANNA)
    assert house.vault.deadline() is None
    house.unix_s += 1000 * YEAR_S
    house.wait(1000)
    assert house.recognised(ANNA) == 11


# ---- the clock


def jumps_ahead_and_is_set_right(house: House) -> None:
    house.unix_s += 10 * YEAR_S
    house.wait(61)
    assert state(house) == "asleep"
    house.wait(GRACE_S - 200)
    house.unix_s -= 10 * YEAR_S
    house.wait(61)


def goes_back_after_the_end(house: House) -> None:
    house.wait(1100)
    assert state(house) == "asleep"
    house.unix_s -= 3600
    house.wait(61)


def jumps_twice_for_most_of_the_grace(house: House) -> None:
    for _ in range(2):
        house.unix_s += 10 * YEAR_S
        house.wait(GRACE_S - 60)
        assert state(house) == "asleep"
        house.unix_s -= 10 * YEAR_S + GRACE_S - 60
        house.wait(61)


WRONG_CLOCKS = [jumps_ahead_and_is_set_right, goes_back_after_the_end, jumps_twice_for_most_of_the_grace]


@pytest.mark.parametrize("wrong", WRONG_CLOCKS)
def test_a_wrong_clock_that_is_set_right_in_time_costs_nobody_their_face(
    house: House, wrong: Callable[[House], None]
) -> None:
    moves_in_for(house, 1000 + int(GRACE_S) * (wrong is not goes_back_after_the_end))
    wrong(house)
    assert state(house) == "awake"


def test_a_clock_that_stays_ahead_is_believed_in_the_end(house: House) -> None:
    moves_in_for(house, 10**6)
    house.unix_s += 10 * YEAR_S
    house.wait(GRACE_S + 120)
    assert state(house) == "gone"


def test_a_restart_begins_the_grace_anew_and_wakes_nobody_meanwhile(house: House) -> None:
    moves_in_for(house, 100)
    house.act(wire.Erase, 12)
    house.wait(GRACE_S)
    house.restart()
    house.connect()
    house.wait(1)
    assert not any(ready.recognise for ready in house.got(Room.LOCK, wire.FaceReady)), "not even for a moment"
    house.enrol(12, BO)
    house.wait(GRACE_S - 60)
    assert state(house) == "asleep"
    house.wait(60)
    assert state(house) == "gone"


# ---- the next tenant


def test_the_next_tenant_is_recognised_right_after_and_under_an_end_of_their_own(house: House) -> None:
    moves_in_for(house, 100)
    house.wait(100 + GRACE_S + 2)
    house.move_in(11, tenant=2)
    house.ends[11] = int(house.unix_s) + 1000
    assert house.enrol(11, NEW) is Result.DONE
    assert house.recognised(NEW) == 11
    house.wait(1000)
    assert house.recognised(NEW) is None


@pytest.mark.parametrize("ends", [True, False])
def test_a_tenant_who_moves_in_before_the_last_face_was_erased_is_recognised_at_once(house: House, ends: bool) -> None:
    moves_in_for(house, 100)
    house.wait(200)
    assert state(house) == "asleep"
    house.move_in(11, tenant=2)
    del house.ends[11]
    if ends:
        house.ends[11] = int(house.unix_s) + 10**6
    house.tell(11)
    assert 11 not in house.vault.faces
    assert house.enrol(11, NEW) is Result.DONE
    assert (house.probe(NEW).slot, house.ready()) == (11, (True, False))
    house.wait(2 * GRACE_S)
    assert house.recognised(NEW) == 11


# ---- the disk


def kept_on_a_full_disk(house: House) -> set[str]:
    """How ANNA's face was seen, second by second, when it cannot be erased at the end of the grace; then it can."""
    moves_in_for(house, 100)
    house.act(wire.Pause, 12)
    house.wait(100 + GRACE_S - 10)
    assert isinstance(house.disk, SimulatedDisk)
    house.disk.full = True
    house.sent[Room.LOCK].clear()
    seen = set()
    for _ in range(60):
        house.wait(1)
        if house.claims(11) or any(ready.recognise for ready in house.got(Room.LOCK, wire.FaceReady)):
            seen.add("awake")
        seen.add("kept" if 11 in house.vault.faces else "gone")
    house.disk.full = False
    house.wait(61)
    if 11 in house.vault.faces:
        seen.add("not tried again")
    return seen


def test_a_face_that_cannot_be_erased_sleeps_and_is_tried_again(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    assert kept_on_a_full_disk(house) == {"kept"}
    assert 11 not in house.vault.faces
    assert "could not be erased yet, and sleeps" in capfd.readouterr().err


def test_a_vault_that_forgets_the_end_when_it_tries_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    erase = Faces.erase

    def forgets(self: Faces, slot: int) -> object:
        self._expiry.forget(slot)
        return erase(self, slot)

    monkeypatch.setattr(Faces, "erase", forgets)
    with another_house() as house:
        assert kept_on_a_full_disk(house) == {"awake", "kept", "not tried again"}


def test_trying_again_keeps_nobody_busy(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    moves_in_for(house, 100)
    house.wait(100 + GRACE_S - 10)
    assert isinstance(house.disk, SimulatedDisk)
    house.disk.full = True
    ticks, tick = [0], Vault.tick

    def counted(self: Vault) -> None:
        ticks[0] += 1
        assert ticks[0] < 1000, "a deadline that is always past"
        tick(self)

    monkeypatch.setattr(Vault, "tick", counted)
    house.wait(1000)
    assert 10 <= ticks[0] <= 20, "about once a minute"


# ---- seeded faults


def test_a_vault_that_erases_without_a_grace_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.vault.house.GRACE_NS", 0)
    for wrong in WRONG_CLOCKS[1:]:
        with another_house() as house, pytest.raises(AssertionError):
            test_a_wrong_clock_that_is_set_right_in_time_costs_nobody_their_face(house, wrong)


def test_a_vault_that_waits_for_the_grace_before_the_face_sleeps_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Expiry, "__contains__", lambda _self, _slot: False)
    with another_house() as house:
        moves_in_for(house, 100)
        house.wait(200)
        assert state(house) == "awake"


# ---- the pure part


@given(st.lists(st.tuples(st.integers(1, GRACE_NS), st.booleans()), max_size=20))
def test_due_is_who_was_found_ended_at_every_look_of_a_whole_grace(looks: list[tuple[int, bool]]) -> None:
    expiry, now_ns = Expiry(GRACE_NS), 0
    history: list[tuple[int, bool]] = []
    for step_ns, ended in looks:
        now_ns += step_ns
        history.append((now_ns, ended))
        ends: Mapping[int, int] = {7: 100, 8: 10**9}
        due = expiry.look(ends, 200.0 if ended else 50.0, now_ns)
        expiry.looked(ends, 200.0 if ended else 50.0, now_ns)
        since = next((at for at, _ in history if all(then for later, then in history if later >= at)), now_ns)
        assert (due == (7,)) is (ended and now_ns - since >= GRACE_NS)
        assert (7 in expiry, 8 in expiry) == (ended, False)
        assert expiry.next_look_ns is not None
        assert now_ns + SECOND <= expiry.next_look_ns <= now_ns + LOOK_EVERY_NS
    if looks:
        expiry.looked({}, 0.0, now_ns)
        assert expiry.next_look_ns is None
