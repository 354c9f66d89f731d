"""Another sitting of a covered face: joined with covered ones of the same person alone, and compared as covered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from device import wire
from device.attestation import CoveredConsent
from device.edges import Room
from device.vault import pooling
from device.vault.budget import Budget, Thresholds
from device.vault.enrolling import Enrolling
from device.vault.enrolments import Enrolments
from device.vault.pooling import Mean
from device.vault.record import FaceRecord, Vector
from device.wire import Hint, LookMode, Outcome, Result
from tests.unit.sealing.simulated_disk import Loss, PowerCut, SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.test_worth import measured
from tests.unit.vault.values import FRAMES, at_cosine, unit

ANNA, BO = unit(1), unit(2)
LATER = at_cosine(ANNA, 0.75, seed=77)  # Anna on another day
THRESHOLDS = Thresholds(Budget(), measured(), FRAMES, measured(0.2))


def enrolled(house: House) -> House:
    """Anna has enrolled covered on slot 11, Bo bare on slot 12."""
    house.thresholds = THRESHOLDS
    house.restart()
    house.connect()
    assert house.enrol(11, ANNA, covered=True) is Result.DONE
    assert house.enrol(12, BO) is Result.DONE
    return house


@pytest.fixture
def door(house: House) -> House:
    """A vault whose tails know lengths; `enrolled`."""
    return enrolled(house)


def seen_again(house: House, face: Vector, slot: int = 11, *, covered: bool = True, looks: bool | None = None) -> bytes:
    """Another sitting, everything but the second PIN; its grant. `looks`: whether the camera sees it covered."""
    grant = house.begin(slot, covered=covered, again=True)
    window = house.window(LookMode.ENROL_COVERED if covered else LookMode.ENROL)
    house.show(face, window, covered=covered if looks is None else looks)
    house.close_window()
    return grant


def again(house: House, face: Vector, slot: int = 11, *, covered: bool = True, looks: bool | None = None) -> Result:
    """The whole of it; how it ended."""
    grant = seen_again(house, face, slot, covered=covered, looks=looks)
    if house.unanswered(grant):
        house.confirm(slot)
    return house.result(grant)


def kept(house: House, slot: int = 11) -> FaceRecord:
    face = house.vault.faces.record(slot)
    assert face is not None
    return face


def looked(house: House, face: Vector, *, covered: bool = True) -> tuple[Outcome, int]:
    house.wait(30)
    verdict = house.probe(face, covered=covered)
    return verdict.outcome, verdict.slot


KNOWN, NOBODY = (Outcome.WITH_PIN, 11), (Outcome.REFUSED, wire.NOBODY)


# ---- joined


def test_covered_sittings_are_joined_three_at_most_and_the_door_still_wants_the_pin(door: House) -> None:
    glance = at_cosine(LATER, 0.75, seed=7)
    assert looked(door, glance) == NOBODY
    assert again(door, LATER) is Result.DONE
    for _ in range(2):
        assert (kept(door).sittings, kept(door).frames, kept(door).covered) == (2, 2 * FRAMES, True)
        assert looked(door, glance) == KNOWN, "never by the face alone"
        assert looked(door, LATER, covered=False) == NOBODY, "and not bare"
        assert looked(door, BO) == NOBODY
        door.restart()
        door.connect()
    assert again(door, at_cosine(ANNA, 0.8, seed=78)) is Result.DONE
    assert kept(door).sittings == 3
    assert again(door, ANNA) is Result.ENOUGH_SITTINGS


def test_it_is_agreed_to_anew_as_a_covered_one(door: House) -> None:
    assert again(door, LATER) is Result.DONE
    (*_, paper) = door.papers()
    assert isinstance(paper, CoveredConsent)
    assert kept(door).consent == door.got(Room.DESK, wire.Attestation)[-1].content


def test_lock_opens_the_window_of_a_covered_face(door: House) -> None:
    door.begin(11, covered=True, again=True)
    last = door.got(Room.LOCK, wire.FaceReady)[-1]
    assert (last.enrol, last.covered) == (True, True)


def test_a_bare_neighbour_is_compared_as_before(door: House) -> None:
    before = kept(door, 12)
    assert again(door, LATER) is Result.DONE
    assert kept(door, 12) == before
    assert looked(door, BO, covered=False) == (Outcome.ACCEPTED, 12)


# ---- not joined, and nothing is lost


def refused(house: House, expected: Result, act: Callable[[House], Result], slot: int = 11) -> None:
    before, files, papers = kept(house, slot), dict(house.vault.faces._store.records()), len(house.papers())
    assert act(house) is expected
    assert kept(house, slot) == before
    assert dict(house.vault.faces._store.records()) == files
    assert len(house.papers()) == papers
    assert looked(house, ANNA) == KNOWN


@pytest.mark.parametrize(("slot", "covered"), [(11, False), (12, True)])
def test_who_declares_it_otherwise_than_the_face_hears_so_before_the_camera_opens(
    door: House, slot: int, covered: bool
) -> None:
    """The face of 11 is covered and that of 12 bare; the sitting is declared the other way."""

    def declared(house: House) -> Result:
        result = house.result(house.begin(slot, covered=covered, again=True))
        assert not house.got(Room.LOCK, wire.FaceReady)[-1].enrol, "no window is wanted"
        return result

    refused(door, Result.COVERED_OTHERWISE, declared, slot)


@pytest.mark.parametrize(("slot", "covered"), [(11, True), (12, False)])
def test_who_comes_otherwise_than_declared_ends_it(door: House, slot: int, covered: bool) -> None:
    face = ANNA if slot == 11 else BO
    refused(
        door, Result.COVERED_OTHERWISE, lambda house: again(house, face, slot, covered=covered, looks=not covered), slot
    )


@pytest.mark.parametrize("cosine", [0.0, 0.45, 0.53, 0.56])
def test_another_person_s_sitting_is_unlike_also_where_a_bare_one_would_be_joined(door: House, cosine: float) -> None:
    refused(door, Result.UNLIKE, lambda house: again(house, at_cosine(ANNA, cosine, seed=31)))
    assert Hint.CONFIRM_WITH_PIN not in [hint.hint for hint in door.got(Room.DESK, wire.EnrolHint)[2:]]


def test_a_face_that_was_taken_for_another_kind_on_the_way_is_not_joined(door: House) -> None:
    """Its owner erases it and enrols bare at the page, while the covered sitting waits for the PIN."""
    grant = seen_again(door, LATER)
    bare = replace(kept(door), covered=False, rotation=kept(door, 12).rotation)
    door.vault.faces.join(11, bare)
    door.confirm(11)
    assert door.result(grant) is Result.COVERED_OTHERWISE
    assert kept(door) == bare


# ---- its threshold


def heights(house: House) -> tuple[float, float]:
    """What the template of 11 would have to be reached by as a bare one, and what it has to be reached by."""
    kind = (kept(house).averaged,)
    bare, covered = (THRESHOLDS.heights(kind, 1, covered=covered) for covered in (False, True))
    assert bare is not None
    assert covered is not None
    return bare[0], covered[0]


def between(house: House) -> Vector:
    """A look that would reach the template as a bare one, and does not as the covered one it is."""
    low, high = heights(house)
    assert low + 0.02 < high
    return at_cosine(house.template(11), (low + high) / 2)


def test_what_came_of_several_sittings_keeps_to_the_covered_tail(door: House) -> None:
    assert again(door, LATER) is Result.DONE
    assert looked(door, between(door)) == NOBODY
    assert looked(door, at_cosine(door.template(11), heights(door)[1] + 0.02)) == KNOWN


# ---- the disk


def about_to_join(disk: SimulatedDisk) -> tuple[House, FaceRecord]:
    house = enrolled(House(disk))
    seen_again(house, LATER)
    return house, kept(house)


def test_a_power_cut_at_any_step_leaves_the_covered_face_as_it_was_or_with_the_sitting() -> None:
    disk = SimulatedDisk()
    house, _ = about_to_join(disk)
    before = disk.steps
    house.confirm()
    steps = disk.steps - before
    house.close()
    found = set()
    for at in range(steps + 1):
        disk = SimulatedDisk()
        house, first = about_to_join(disk)
        disk.cut_at = disk.steps + at
        with suppress(PowerCut):
            house.confirm()
        house.close()
        for loss in Loss:
            booted = House(disk.after_power_cut(loss, at))
            face = kept(booted)
            assert (face.sittings == 2 and face.covered) or face == first
            found.add(face.sittings)
            booted.close()
    assert found == {1, 2}


# ---- seeded faults


def test_a_vault_that_joins_a_bare_sitting_to_a_covered_face_is_seen(
    door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Enrolling.add

    def careless(self: Enrolling, index: int, frame: Vector | None, now_ns: int, *, covered: bool = False) -> object:
        del covered
        return real(self, index, frame, now_ns, covered=self.covered)

    monkeypatch.setattr(Enrolling, "add", careless)
    with pytest.raises(AssertionError):
        refused(door, Result.COVERED_OTHERWISE, lambda house: again(house, ANNA, looks=False))
    assert kept(door).sittings == 2


def test_a_vault_that_does_not_ask_how_the_kept_face_was_declared_is_seen(
    door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whatever(self: Enrolments, slot: int, msg: wire.Enrol) -> Result | None:
        del msg
        found = self.faces.kept(slot)
        return Result.NO_FACE if found is None else pooling.why_not(found, FRAMES, self.recogniser.thresholds)

    monkeypatch.setattr(Enrolments, "_why_not_again", whatever)
    assert door.unanswered(door.begin(11, again=True)), "somebody stands before the camera for nothing"
    # The second guard: what was seen bare is not joined all the same.
    door.vault.enrolments.abandon()
    assert again(door, ANNA, covered=False) is Result.COVERED_OTHERWISE


def test_a_vault_that_takes_the_bare_limit_for_a_covered_sitting_is_seen(
    door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Mean.alike
    monkeypatch.setattr(Mean, "alike", lambda self, other, **_kind: real(self, other))
    with pytest.raises(AssertionError):
        refused(door, Result.UNLIKE, lambda house: again(house, at_cosine(ANNA, 0.56, seed=31)))
    assert kept(door).sittings == 2


def test_a_vault_that_compares_the_whole_under_the_bare_tail_is_seen(
    door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert again(door, LATER) is Result.DONE
    look, real = between(door), Thresholds._tails
    monkeypatch.setattr(Thresholds, "_tails", lambda self, *, covered: real(self, covered=covered and False))
    assert looked(door, look) == KNOWN


def test_a_vault_that_counts_the_whole_as_bare_ones_are_counted_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where means of covered faces are longer, the same whole counts for more pictures among them."""
    made = measured(0.2)
    longer = replace(made, averaging=tuple(replace(mode, length=mode.length + 0.03) for mode in made.averaging))
    thresholds = Thresholds(Budget(), measured(), FRAMES, longer)
    kept_face = FaceRecord(np.zeros(128).tobytes(), b"", 2 * FRAMES, b"", b"", 0, covered=True)
    right = pooling._with(kept_face, 2 * FRAMES, 0.87, thresholds)
    real = Thresholds.worth
    monkeypatch.setattr(Thresholds, "worth", lambda self, pictures, length, **_kind: real(self, pictures, length))
    wrong = pooling._with(kept_face, 2 * FRAMES, 0.87, thresholds)
    assert wrong.worth < right.worth
