"""What is told of a face to whoever sits for its slot: what its record says, and nothing of anybody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.vault.budget import Budget, Thresholds
from device.wire import HeldFace, Purpose
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.test_sittings import asked, do, sit
from tests.unit.vault.test_worth import measured
from tests.unit.vault.values import CONSENT, FRAMES, GRACE_NS, SECOND, TERMS, TODAY, unit

ANNA, BO = unit(1), unit(2)
OLDER = replace(TERMS, purpose="an older purpose")
ZEROS = bytes(wire.TERMS_ID_BYTES)


def held(house: House, slot: int = 11) -> wire.Held:
    """What vault says in a sitting of that slot."""
    answer = asked(house, sit(house, slot))
    assert isinstance(answer, wire.Held)
    return answer


def test_nothing_is_held_of_whoever_has_no_face_here(house: House) -> None:
    house.enrol(12, BO)
    said = held(house, 11)
    assert said == wire.Held(said.grant, HeldFace.NONE, 0, 0, under_14=False, ends_unix=0, terms=ZEROS)


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize("under_14", [False, True])
def test_of_a_face_it_says_what_the_record_says(house: House, under_14: bool, covered: bool) -> None:
    house.move_in(11)
    house.ends[11] = 2_100_000_000
    house.enrol(11, ANNA, under_14=under_14, covered=covered)
    said = held(house)
    assert said == wire.Held(
        said.grant,
        HeldFace.AWAKE,
        TODAY,
        FRAMES,
        under_14=under_14,
        ends_unix=2_100_000_000,
        terms=CONSENT[: wire.TERMS_ID_BYTES],
        covered=covered,
        sittings=1,
    )


def test_it_says_whether_the_face_sleeps_and_why(house: House) -> None:
    house.terms = OLDER
    house.restart_under(OLDER)
    house.enrol(11, ANNA)
    assert held(house).terms == OLDER.hash[: wire.TERMS_ID_BYTES]
    house.restart_under(TERMS)
    assert held(house).face is HeldFace.OTHER_TERMS
    sitting = sit(house)
    do(house, wire.Pause(sitting))
    assert asked(house, sitting) == replace(held(house), grant=sitting, face=HeldFace.OTHER_TERMS), "that comes first"
    do(house, wire.Renew(sit(house), CONSENT))
    assert held(house).face is HeldFace.PAUSED
    do(house, wire.Resume(sit(house)))
    assert held(house).face is HeldFace.AWAKE


@pytest.mark.parametrize("covered", [False, True])
def test_whatever_is_told_as_awake_or_resting_can_be_given_another_sitting_and_nothing_else_can(
    house: House, covered: bool
) -> None:
    """What the page offers follows from what is told: nobody stands before the camera for a refusal."""
    house.thresholds = Thresholds(Budget(), measured(), FRAMES, measured())
    house.restart_under(OLDER)
    house.enrol(11, ANNA, covered=covered)

    def fits() -> bool:
        told, grant = held(house).face, house.begin(11, covered=covered, again=True)
        joined = not house.results(grant)
        house.vault.enrolments.abandon()
        assert joined is (told in (HeldFace.AWAKE, HeldFace.PAUSED)), told
        return joined

    assert fits()
    house.act(wire.Pause, 11)
    assert fits()
    house.restart_under(TERMS)
    assert not fits(), "paused, and under another notice"
    house.act(wire.Resume, 11)
    assert not fits()
    house.renew(11)
    assert fits()


def test_a_face_whose_place_has_ended_by_the_clock_sleeps_before_it_is_erased(house: House) -> None:
    house.move_in(11)
    house.ends[11] = int(house.unix_s) + 100
    house.enrol(11, ANNA)
    house.wait(200)
    assert held(house).face is HeldFace.ASLEEP
    house.wait(GRACE_NS / SECOND)
    assert held(house).face is HeldFace.NONE


def test_what_cannot_be_read_is_told_and_can_be_erased(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    house.enrol(11, ANNA)
    assert isinstance(house.disk, SimulatedDisk)
    (name,) = [name for name in house.disk.names(house.folder) if name.endswith(".rec")]
    house.disk.write(house.folder / name, b"torn")
    house.restart()
    house.connect()
    said = held(house)
    assert said == wire.Held(said.grant, HeldFace.UNREADABLE, 0, 0, under_14=False, ends_unix=0, terms=ZEROS)
    assert do(house, wire.Erase(sit(house))) is wire.Result.DONE
    assert held(house).face is HeldFace.NONE
    capfd.readouterr()


def test_nothing_is_told_without_a_sitting(house: House) -> None:
    house.enrol(11, ANNA)
    for grant in (bytes(16), house.grant(Purpose.PAUSE, 11), house.grant(Purpose.RENEW, 11)):
        assert asked(house, grant) == wire.SittingOver(grant)


def test_no_byte_of_a_template_or_of_a_neighbour_is_told(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    house.sent[Room.DESK].clear()
    told = wire.pack(held(house))
    for slot in (11, 12):
        template = house.vault.faces._records[slot].template
        assert not [at for at in range(0, 512, 4) if template[at : at + 4] in told]
