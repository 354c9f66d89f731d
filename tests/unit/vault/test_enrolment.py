"""Enrolment: grant, credential, consent, agreement; what is finished is kept, what is not leaves nothing."""

from __future__ import annotations

import numpy as np
import pytest

from device import attestation, wire
from device.edges import Room
from device.wire import Attack, Purpose, Result
from tests.unit.sealing.simulated_disk import SimulatedDisk
from tests.unit.vault.house import House
from tests.unit.vault.values import CONSENT, FRAMES, TODAY, at_cosine, nonce, unit

ANNA, BO = unit(1), unit(2)


def test_finished_enrolment_is_acknowledged_closes_its_window_and_opens(house: House) -> None:
    grant = house.begin()
    assert house.ready() == (False, True)
    window = house.window()
    house.show(ANNA, window)
    assert house.got(Room.LOCK, wire.EnrolmentEnded) == [wire.EnrolmentEnded(window, Result.CONFIRM)]
    assert house.ready() == (False, False), "the camera has seen enough"
    house.close_window()
    assert house.unanswered(grant)
    house.confirm()
    assert house.result(grant) is Result.DONE
    assert house.ready() == (True, False)
    assert len(house.got(Room.LOCK, wire.EnrolmentEnded)) == 1
    assert house.recognised(ANNA) == 11


def test_acknowledged_enrolment_is_there_after_a_restart(house: House) -> None:
    assert house.enrol(11, ANNA) is Result.DONE
    house.restart()
    house.connect()
    assert house.recognised(ANNA) == 11


def test_template_is_the_unit_mean_of_the_frames(house: House) -> None:
    house.enrol(11, ANNA)
    frames = [at_cosine(ANNA, 0.95, seed=100 + index).astype(np.float64) for index in range(FRAMES)]
    mean = np.sum(frames, axis=0)
    template = house.template(11)
    assert np.allclose(template, mean / np.linalg.norm(mean), atol=1e-6)
    assert float(np.linalg.norm(template)) == pytest.approx(1.0, abs=1e-6)


def test_record_holds_consent_frames_tenancy_and_a_coarse_day(house: House) -> None:
    house.enrol(11, ANNA)
    record = house.vault.faces._records[11]
    assert attestation.verify(record.consent).paper == house.papers()[-1]
    assert (record.frames, record.enrolled_day, record.paused) == (FRAMES, TODAY, False)
    assert (record.under_14, record.ends_unix) == (False, wire.NO_END)
    assert record.tenancy == house.tenancies[11]


# ---- without the right to


def test_without_a_grant_nothing_begins(house: House) -> None:
    house.say(Room.DESK, wire.Enrol(forged := nonce(), CONSENT, under_14=False))
    assert house.result(forged) is Result.NO_GRANT
    assert house.ready() == (False, False)


@pytest.mark.parametrize("purpose", [Purpose.ERASE, Purpose.PAUSE, Purpose.RESUME])
def test_a_grant_for_something_else_is_no_grant_and_is_used_up(house: House, purpose: Purpose) -> None:
    house.enrol(11, ANNA)
    grant = house.grant(purpose, 11)
    house.say(Room.DESK, wire.Enrol(grant, CONSENT, under_14=False))
    assert house.result(grant) is Result.NO_GRANT
    house.sent.clear()
    house.say(Room.DESK, {2: wire.Erase, 3: wire.Pause, 4: wire.Resume}[purpose](grant))
    assert house.result(grant) is Result.NO_GRANT
    assert house.recognised(ANNA) == 11


def test_a_grant_enrols_once(house: House) -> None:
    grant = house.capture(ANNA)
    house.confirm()
    house.act(wire.Erase, 11)
    house.sent.clear()
    house.say(Room.DESK, wire.Enrol(grant, CONSENT, under_14=False))
    assert house.result(grant) is Result.NO_GRANT


def test_an_expired_grant_is_no_grant(house: House) -> None:
    house.move_in(11)
    grant = house.grant(Purpose.ENROL, 11, seconds=30)
    house.wait(30)
    house.say(Room.DESK, wire.Enrol(grant, CONSENT, under_14=False))
    assert house.result(grant) is Result.NO_GRANT


def test_no_grant_lives_longer_than_a_minute(house: House) -> None:
    house.move_in(11)
    grant = house.grant(Purpose.ENROL, 11, seconds=3600)
    house.wait(60)
    house.say(Room.DESK, wire.Enrol(grant, CONSENT, under_14=False))
    assert house.result(grant) is Result.NO_GRANT


def test_without_a_pin_or_card_there_is_no_enrolment(house: House) -> None:
    grant = house.grant(Purpose.ENROL, 11)
    house.say(Room.DESK, wire.Enrol(grant, CONSENT, under_14=False))
    assert house.result(grant) is Result.NO_CREDENTIAL


def test_enrolment_waits_for_keeper_s_word(house: House) -> None:
    house.asks_keeper = False
    grant = house.begin()
    assert house.ready() == (False, False)
    early = house.window()  # of a lock that pressed on all the same
    house.show(ANNA, early)
    house.close_window()
    assert house.unanswered(grant)
    house.tell(11)
    assert house.ready() == (False, True)
    house.show(ANNA, house.window())
    house.confirm()
    assert house.result(grant) is Result.DONE


def test_enrolment_ends_when_keeper_says_no_or_nothing(house: House) -> None:
    house.asks_keeper = False
    refused = house.begin()
    house.say(Room.KEEPER, wire.CredentialAnswer(11, wire.NO_TENANCY, wire.NO_END))
    assert house.result(refused) is Result.NO_CREDENTIAL
    silent = house.begin(slot=12)
    house.wait(61)
    assert house.result(silent) is Result.NO_CREDENTIAL


def test_what_keeper_said_before_the_pin_was_shown_does_not_count_for_an_enrolment(house: House) -> None:
    """Vault heard of the first tenant, missed the second, and must not refuse the second as somebody new."""
    house.begin()
    house.wait(61)
    house.move_in(11, tenant=2)
    house.asks_keeper = False
    grant = house.begin()
    house.tell(11)
    house.show(ANNA, house.window())
    house.confirm()
    assert house.result(grant) is Result.DONE


def test_a_slot_with_a_face_is_taken_even_while_it_is_paused(house: House) -> None:
    house.enrol(11, ANNA)
    house.act(wire.Pause, 11)
    assert house.result(house.begin()) is Result.SLOT_TAKEN
    house.act(wire.Resume, 11)
    assert house.recognised(ANNA) == 11


def test_without_a_consent_there_is_no_enrolment(house: House) -> None:
    house.move_in(11)
    grant = house.grant(Purpose.ENROL, 11)
    house.say(Room.DESK, wire.Enrol(grant, bytes(32), under_14=False))
    assert house.result(grant) is Result.OTHER_TERMS
    assert house.enrolling is None


def test_somebody_else_cannot_take_over_an_enrolment_under_way(house: House) -> None:
    first, other = house.begin(11), house.begin(12)
    assert house.result(other) is Result.REFUSED
    assert house.unanswered(first)


def test_the_same_slot_may_begin_again(house: House) -> None:
    first, second = house.begin(), house.begin()
    assert house.result(first) is Result.TOO_FEW_FRAMES
    house.show(ANNA, house.window())
    house.confirm()
    assert house.result(second) is Result.DONE


# ---- unfinished


def names(house: House) -> set[str]:
    assert isinstance(house.disk, SimulatedDisk)
    return house.disk.all_names()


def test_an_enrolment_out_of_time_ends_and_leaves_nothing(house: House) -> None:
    before = names(house)
    grant, window = house.begin(), house.window()
    house.sample(ANNA, 0, window)
    house.wait(60)
    assert house.result(grant) is Result.TOO_FEW_FRAMES
    assert house.got(Room.LOCK, wire.EnrolmentEnded)[-1] == wire.EnrolmentEnded(window, Result.TOO_FEW_FRAMES)
    assert house.ready() == (False, False)
    assert names(house) == before
    assert house.vault.deadline() is None


@pytest.mark.parametrize("gone", [Room.DESK, Room.EYE, Room.LOCK])
def test_when_desk_eye_or_lock_goes_what_was_seen_is_forgotten(house: House, gone: Room) -> None:
    grant, window = house.begin(), house.window()
    house.sample(ANNA, 0, window)
    house.sample(ANNA, 1, window)
    house.disconnect(gone)
    house.connect(gone)
    house.sample(ANNA, 2, window)
    house.confirm()
    assert house.vault.faces.slots() == ()
    assert house.ready() == (False, False)
    assert house.unanswered(grant) is (gone is Room.DESK)


def test_losing_the_last_pin_ends_the_enrolment(house: House) -> None:
    grant = house.begin()
    house.lose_pin(11)
    assert house.result(grant) is Result.NO_CREDENTIAL
    assert house.ready() == (False, False)


def test_losing_the_last_pin_in_the_window_tells_lock_to_close_it(house: House) -> None:
    house.begin()
    window = house.window()
    house.lose_pin(11)
    assert house.got(Room.LOCK, wire.EnrolmentEnded) == [wire.EnrolmentEnded(window, Result.NO_CREDENTIAL)]


def test_an_alarm_that_lock_was_not_there_to_hear_is_told_when_it_is_back_and_once(house: House) -> None:
    house.disconnect(Room.LOCK)
    house.vault.breached(Room.LOCK)
    for _ in range(2):
        house.connect(Room.LOCK)
        assert len(house.got(Room.LOCK, wire.Breach)) == 1
        house.disconnect(Room.LOCK)


def test_a_vault_that_restarts_in_the_middle_raises_no_alarm(house: House) -> None:
    house.begin()
    window = house.window()
    house.restart()
    house.connect()
    assert house.sample(ANNA, 2, window)
    assert not house.got(Room.LOCK, wire.Breach)


def test_what_is_logged_names_no_slot(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    house.begin(slot=424242)
    house.sample(ANNA, 0, house.window(), attack=Attack.PRESENTATION)
    said = capfd.readouterr().err
    assert "the enrolment ended" in said
    house.begin(slot=424242)
    assert "424242" not in said + repr(house.enrolling)
