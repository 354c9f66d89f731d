"""A face that could never open under the door's budget is not taken: nobody gives one for nothing, or unaware."""

from __future__ import annotations

import pytest

from device import manifest, wire
from device.edges import Room
from device.manifest import Job
from device.paths import models_dir
from device.vault import tail as tails
from device.vault.budget import Budget, Thresholds
from device.vault.enrolments import Enrolments
from device.wire import Result
from tests.unit.vault.house import House
from tests.unit.vault.tails import line, tail
from tests.unit.vault.values import FRAMES, at_cosine, unit

ANNA = unit(1)
NOBODY = tail({"all": line(3.2)}, shift=0.0)


def strict(house: House, strangers: float) -> None:
    """Vault starts anew, with the budget of a busier street."""
    house.thresholds = Thresholds(Budget(1.0, strangers), NOBODY, FRAMES)
    house.restart()
    house.connect()


def test_where_no_face_could_open_none_is_taken_and_the_camera_stays_closed(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    strict(house, 10_000)
    assert house.thresholds.threshold(1, FRAMES, worth=1) is None, "or this would show nothing"
    capfd.readouterr()
    grant = house.begin(11)
    assert house.results(grant) == [Result.REFUSED]
    assert house.enrolling is None
    assert not house.vault.enrolments.wants_camera
    assert 11 not in house.vault.faces
    assert "no face opens, and none is enrolled" in capfd.readouterr().err


def test_without_that_question_a_face_would_be_kept_that_never_opens(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault seeded: what this door did, with a consent signed and "done" for an answer."""
    monkeypatch.setattr(Enrolments, "_never_opens", lambda _self, covered: covered)
    monkeypatch.setattr(Enrolments, "_too_varied", lambda _self, _current: None)
    strict(house, 10_000)
    assert house.enrol(11, ANNA) is Result.DONE
    assert house.recognised(ANNA) is None
    assert not house.claims(11)


def varied(house: House, grant: bytes) -> None:
    """Frames that differ as those of different days do."""
    window = house.window()
    for index in range(FRAMES):
        house.sample(at_cosine(ANNA, 0.95, seed=100 + index), index, window)
    house.close_window()
    assert house.enrolling is None
    assert house.results(grant) == [Result.REFUSED]


def test_a_face_of_frames_too_varied_for_the_budget_is_forgotten_before_the_pin_is_asked_for(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    steep = tail({"all": line(6)}, shift=0.12)
    strangers = next(
        each
        for each in range(5, 10_000)
        if Thresholds(Budget(1.0, each), steep, FRAMES).threshold(1, FRAMES, worth=FRAMES) is None
    )
    house.thresholds = Thresholds(Budget(1.0, strangers), steep, FRAMES)
    house.restart()
    house.connect()
    assert house.thresholds.threshold(1, FRAMES, worth=1) is not None
    capfd.readouterr()
    varied(house, house.begin(11))
    assert wire.Hint.CONFIRM_WITH_PIN not in [each.hint for each in house.got(Room.DESK, wire.EnrolHint)]
    assert 11 not in house.vault.faces
    assert "so it was not kept" in capfd.readouterr().err


def test_of_faces_that_are_kept_from_before_the_log_says_once_that_none_opens(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    house.connect()
    assert house.enrol(11, ANNA) is Result.DONE
    capfd.readouterr()
    strict(house, 10_000)
    assert (house.ready(), house.claim_first(), house.claims(11)) == ((False, False), False, False)
    said = capfd.readouterr().err
    assert said.count("no face opens, PIN and card do") == 1
    assert not any(digit in said for digit in "0123456789")
    assert 11 in house.vault.faces, "it is its owner's, who may erase it, and a looser budget wakes it"


def test_what_the_budgets_page_says_of_busy_streets_is_so() -> None:
    measured = tails.load(models_dir(), manifest.load(models_dir()).for_job(Job.EMBED).sha256)

    def first(worth: int) -> int:
        return next(
            each
            for each in range(5, 100)
            if Thresholds(Budget(1.0, each), measured, 3).threshold(1, 5, worth=worth) is None
        )

    assert (first(5), first(1)) == (27, 32)
