"""A covered face is enrolled as one: covered and bare are never compared nor mixed, and covered never opens alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from device import wire
from device.attestation import ConsentRecord, CoveredConsent
from device.edges import Room
from device.vault.budget import Budget, Thresholds
from device.vault.enrolling import Enrolling
from device.vault.faces import Faces
from device.vault.gallery import Gallery
from device.vault.signing import Signer
from device.wire import Hint, LookMode, Outcome, Result
from tests.unit.vault.house import House, another_house
from tests.unit.vault.tails import line, tail
from tests.unit.vault.values import FRAMES, THRESHOLD, TODAY, at_cosine, unit

ANNA, BO = unit(1), unit(2)


@contextmanager
def home(**changes: object) -> Iterator[House]:
    """Anna enrolled bare under 11, Bo covered under 12."""
    with another_house() as house:
        for name, value in changes.items():
            setattr(house, name, value)
        if changes:
            house.restart()
            house.connect()
        assert house.enrol(11, ANNA) is Result.DONE
        assert house.enrol(12, BO, covered=True) is Result.DONE
        yield house


def seen(house: House, **changes: object) -> dict[tuple[str, bool], tuple[Outcome, int]]:
    """What vault says of each face, bare and covered."""
    found = {}
    for name, face in (("Anna", ANNA), ("Bo", BO)):
        for covered in (False, True):
            house.wait(30)
            verdict = house.probe(face, covered=covered, **changes)
            found[name, covered] = (verdict.outcome, verdict.slot)
    return found


NOBODY = (Outcome.REFUSED, wire.NOBODY)
RIGHT = {
    ("Anna", False): (Outcome.ACCEPTED, 11),
    ("Anna", True): NOBODY,
    ("Bo", False): NOBODY,
    ("Bo", True): (Outcome.WITH_PIN, 12),
}


# ---- recognising


def test_each_kind_is_compared_with_its_own_and_a_covered_face_never_opens_alone() -> None:
    with home() as house:
        assert seen(house) == RIGHT
        house.restart()
        house.connect()
        assert seen(house) == RIGHT, "and after a start, from the disk"
        house.rekey()
        assert seen(house) == RIGHT, "and under new keys"


@pytest.mark.parametrize("claim", [11, 12])
def test_a_claim_compares_with_no_other_kind(claim: int) -> None:
    with home() as house:
        expected = {key: said if said[1] == claim else NOBODY for key, said in RIGHT.items()}
        assert seen(house, claim=claim) == expected


REAL_GALLERY = Faces.gallery


def whatever_it_wears(self: Faces, *, covered: bool = False) -> Gallery:
    """A fault: whoever is enrolled, in one gallery."""
    del covered
    bare, others = REAL_GALLERY(self, covered=False), REAL_GALLERY(self, covered=True)
    templates = np.vstack((bare.templates, others.templates))
    slots = (*bare.slots, *others.slots)
    return Gallery(slots, templates, bare.rotation, bare.kinds, (0,) * len(slots))


def test_a_vault_that_compares_covered_with_bare_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with home() as house:
        monkeypatch.setattr(Faces, "gallery", whatever_it_wears)
        found = seen(house)
    assert found != RIGHT
    assert found["Anna", True] == (Outcome.ACCEPTED, 11)


def test_a_vault_that_forgets_that_a_face_is_covered_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with home() as house:
        monkeypatch.setattr(Faces, "covered", lambda _self, _slot: False)
        assert seen(house)["Bo", True] == (Outcome.ACCEPTED, 12)


# ---- the threshold


def test_a_covered_face_needs_a_tail_of_its_own_and_never_less_than_a_bare_one() -> None:
    low, high = tail({"some": line(6)}, shift=0.0), tail({"some": line(5)}, shift=0.0)
    plain, stricter = (Thresholds(Budget(), made, 3).threshold(1, 5) for made in (low, high))
    assert plain is not None
    assert stricter is not None
    assert plain < stricter
    found = [
        Thresholds(Budget(), bare, 3, own).threshold(1, 5, covered=True) for bare in (low, high) for own in (low, high)
    ]
    assert found == [plain, stricter, stricter, stricter]
    assert Thresholds(Budget(), low, 3).threshold(1, 5, covered=True) is None
    assert Thresholds(Budget(), low, 3, high).threshold(1, 5) == plain, "a bare one is compared as before"


def test_where_nobody_could_be_compared_covered_nobody_is_enrolled_so() -> None:
    with another_house() as house:
        made = house.vault.recogniser.thresholds
        house.vault.recogniser.thresholds = Thresholds(made.budget, made.tail, made.frames)
        assert house.result(house.begin(12, covered=True)) is Result.REFUSED
        assert house.enrol(12, BO) is Result.DONE


def test_without_a_tail_of_covered_faces_nobody_is_compared_covered() -> None:
    with another_house() as house:
        house.enrol(12, BO, covered=True)
        made = house.vault.recogniser.thresholds
        house.vault.recogniser.thresholds = Thresholds(made.budget, made.tail, made.frames)
        assert house.probe(BO, covered=True).outcome is Outcome.REFUSED
        assert not house.claims(12)


@pytest.mark.parametrize("covered", [False, True])
def test_the_threshold_is_that_of_the_kind(covered: bool) -> None:
    with home() as house:
        slot = 12 if covered else 11
        template = house.template(slot)
        near, far = at_cosine(template, THRESHOLD + 0.05), at_cosine(template, THRESHOLD - 0.05)
        assert house.probe(near, covered=covered).slot == slot
        assert house.probe(far, covered=covered).slot == wire.NOBODY


def test_covered_faces_make_nobody_else_say_who_they_are() -> None:
    room_for_one = Thresholds(Budget(), tail({"some": line(6)}, shift=0.0), 3, tail({"some": line(2.9)}, shift=0.0))
    assert room_for_one.threshold(1, FRAMES, covered=True) is not None
    assert room_for_one.threshold(2, FRAMES, covered=True) is None
    with another_house() as house:
        house.thresholds = room_for_one
        house.restart()
        house.connect()
        house.enrol(12, BO, covered=True)
        assert (house.ready(), house.claim_first()) == ((True, False), False)
        house.enrol(13, unit(3), covered=True)
        assert (house.ready(), house.claim_first()) == ((False, False), True)
        assert house.claims(12)
        assert house.probe(BO, covered=True).outcome is Outcome.REFUSED, (
            "two are more than a press alone can tell apart"
        )
        assert house.probe(BO, covered=True, claim=12).outcome is Outcome.WITH_PIN
        house.enrol(11, ANNA)
        assert (house.ready(), house.claim_first()) == ((True, False), False)
        assert house.probe(ANNA).slot == 11


# ---- the hint


def hinted(house: House, *, covered: bool) -> list[Hint]:
    before = len(house.got(Room.LOCK, wire.Guidance))
    house.wait(30)
    house.probe(unit(9), covered=covered)
    return [msg.hint for msg in house.got(Room.LOCK, wire.Guidance)[before:]]


def test_who_comes_covered_is_asked_to_uncover_where_nobody_enrolled_covered() -> None:
    with another_house() as house:
        house.enrol(11, ANNA)
        assert hinted(house, covered=True) == [Hint.UNCOVER_YOUR_FACE]
        assert hinted(house, covered=False) == []
        house.enrol(12, BO, covered=True)
        assert hinted(house, covered=True) == []


def test_the_hint_comes_before_the_verdict_and_does_not_say_who_is_known() -> None:
    with another_house() as house:
        house.enrol(11, ANNA)
        for face in (ANNA, BO):
            house.wait(30)
            house.sent[Room.LOCK].clear()
            house.probe(face, covered=True)
            said = [type(msg) for msg in house.sent[Room.LOCK] if not isinstance(msg, wire.FaceReady)]
            assert said == [wire.Guidance, wire.Verdict]


# ---- enrolling


def mixture(house: House, *, declared: bool, odd: int) -> tuple[Result, bool]:
    """An enrolment whose frame number `odd` is of the other kind; how it ended, and whether a face is kept."""
    grant = house.begin(12, covered=declared)
    window = house.window(LookMode.ENROL_COVERED if declared else LookMode.ENROL)
    for index in range(FRAMES):
        face = at_cosine(BO, 0.95, seed=100 + index)
        house.sample(face, index, window, covered=declared is not (index == odd))
    house.close_window()
    if not house.results(grant):
        house.confirm(12)
    return house.result(grant), 12 in house.vault.faces


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("odd", range(FRAMES))
def test_a_series_is_all_covered_or_all_bare(declared: bool, odd: int) -> None:
    with another_house() as house:
        assert mixture(house, declared=declared, odd=odd) == (Result.COVERED_OTHERWISE, False)


@pytest.mark.parametrize("odd", range(FRAMES))
def test_a_vault_that_takes_a_mixture_is_seen(monkeypatch: pytest.MonkeyPatch, odd: int) -> None:
    real = Enrolling.add

    def careless(self: Enrolling, index: int, frame: object, now_ns: int, *, covered: bool = False) -> Result | None:
        del covered
        return real(self, index, frame, now_ns, covered=self.covered)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr(Enrolling, "add", careless)
    with another_house() as house:
        assert mixture(house, declared=True, odd=odd) == (Result.DONE, True)


@pytest.mark.parametrize("declared", [False, True])
def test_a_window_for_the_other_kind_is_not_this_enrolments(declared: bool) -> None:
    with another_house() as house:
        grant = house.begin(12, covered=declared)
        window = house.window(LookMode.ENROL if declared else LookMode.ENROL_COVERED)
        house.show(BO, window, covered=declared)
        assert house.unanswered(grant)
        assert house.enrolling
        assert house.enrolling.wants_camera


def test_lock_is_told_which_window_the_enrolment_needs() -> None:
    with another_house() as house:
        for covered in (True, False):
            house.begin(12, covered=covered)
            last = house.got(Room.LOCK, wire.FaceReady)[-1]
            assert (last.enrol, last.covered) == (True, covered)
        house.vault.enrolments.abandon()
        assert not house.got(Room.LOCK, wire.FaceReady)[-1].covered


# ---- the paper


def consents(house: House) -> list[ConsentRecord]:
    return [paper for paper in house.papers() if isinstance(paper, ConsentRecord)]


def test_the_consent_record_says_that_the_face_was_covered_and_so_does_the_one_after_a_renewal() -> None:
    with home() as house:
        assert [type(paper) for paper in consents(house)] == [ConsentRecord, CoveredConsent]
        faces = house.vault.faces
        assert (faces._records[11].covered, faces._records[12].covered) == (False, True)
        signed = house.vault.signer.consent(TODAY, under_14=False, covered=faces.covered(12))
        assert signed[4] == 2


def test_a_vault_whose_consent_says_nothing_of_the_cover_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Signer.consent

    def forgetful(self: Signer, day: int, *, under_14: bool, covered: bool = False) -> bytes:
        del covered
        return real(self, day, under_14=under_14)

    monkeypatch.setattr(Signer, "consent", forgetful)
    with home() as house:
        assert [type(paper) for paper in consents(house)] != [ConsentRecord, CoveredConsent]


def test_a_covered_face_that_is_awake_is_counted_as_one() -> None:
    with home() as house:
        faces = house.vault.faces
        assert (len(faces.awake), faces.awake_covered) == (2, 1)
        house.act(wire.Pause, 12)
        assert (len(faces.awake), faces.awake_covered) == (1, 0)
        house.act(wire.Resume, 12)
        house.act(wire.Erase, 12)
        assert (len(faces.awake), faces.awake_covered) == (1, 0)
