"""eye is heard on the approach that lock has named, in the mode that lock has named, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from device import wire
from device.edges import Room
from device.vault.enrolments import Enrolments
from device.vault.loop import Vault
from device.wire import Attack, Hint, LookMode, Result
from tests.unit.vault.house import House
from tests.unit.vault.values import MODEL, nonce, unit

ANNA, BO = unit(1), unit(2)


def probe_of(house: House, name: bytes) -> wire.Probe:
    return wire.Probe(name, house.now_ns, 3, Attack.NOT_TESTED, MODEL[:8], ANNA.astype("<f4").tobytes())


def everything_about(house: House, name: bytes) -> None:
    """All that eye can send, good in itself, under the nonce `name`."""
    house.say(Room.EYE, probe_of(house, name))
    house.show(BO, name)
    house.say(Room.EYE, wire.Guidance(name, Hint.COME_CLOSER))


def heard(house: House, before: int) -> int:
    return sum(len(sent) for sent in house.sent.values()) - before


def told(house: House) -> int:
    return heard(house, 0)


def nothing(_house: House) -> bytes:
    return nonce()


def a_nonce_of_its_own_in_a_window(house: House) -> bytes:
    house.window(LookMode.RECOGNISE)
    return nonce()


def a_nonce_of_its_own_in_an_enrolment(house: House) -> bytes:
    house.begin(12)
    house.window(LookMode.ENROL)
    return nonce()


def a_window_that_was_closed(house: House) -> bytes:
    name = house.window(LookMode.RECOGNISE)
    house.close_window()
    return name


def an_approach_before_the_last(house: House) -> bytes:
    first = house.window(LookMode.RECOGNISE)
    house.window(LookMode.RECOGNISE)
    return first


def a_window_of_a_lock_that_is_gone(house: House) -> bytes:
    name = house.window(LookMode.RECOGNISE)
    house.disconnect(Room.LOCK)
    house.connect(Room.LOCK)
    return name


def a_window_from_before_eye_restarted(house: House) -> bytes:
    name = house.window(LookMode.RECOGNISE)
    house.disconnect(Room.EYE)
    house.connect(Room.EYE)
    return name


MOMENTS = [
    nothing,
    a_nonce_of_its_own_in_a_window,
    a_nonce_of_its_own_in_an_enrolment,
    a_window_that_was_closed,
    an_approach_before_the_last,
    a_window_of_a_lock_that_is_gone,
    a_window_from_before_eye_restarted,
]


def gained_by_eye(house: House, moment: Callable[[House], bytes]) -> tuple[int, bool, bool]:
    """(messages that vault sent for it, whether a face waits to be kept, whether lock raised an alarm)."""
    house.enrol(11, ANNA)
    name = moment(house)
    before, alarms = told(house), len(house.got(Room.LOCK, wire.Breach))
    everything_about(house, name)
    enrolling = house.enrolling
    return (
        heard(house, before),
        enrolling is not None and enrolling.seen,
        len(house.got(Room.LOCK, wire.Breach)) > alarms,
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_whatever_eye_says_about_another_approach_than_lock_s_is_as_if_unsaid(
    house: House, moment: Callable[[House], bytes]
) -> None:
    assert gained_by_eye(house, moment) == (0, False, False)
    assert house.vault.faces.slots() == (11,)


def test_unheard_probes_cost_nobody_a_try(house: House) -> None:
    house.enrol(11, ANNA)
    for _ in range(50):
        house.say(Room.EYE, wire.Probe(nonce(), house.now_ns, 3, Attack.NOT_TESTED, MODEL[:8], bytes(512)))
    assert house.probe(ANNA).slot == 11


def listens_to_everything(self: Vault, msg: wire.Message) -> None:
    """The seeded fault: eye's word alone makes an approach."""
    assert isinstance(msg, wire.Probe | wire.Sample | wire.Guidance)
    mode = LookMode.ENROL if isinstance(msg, wire.Sample) else LookMode.RECOGNISE
    self._window = wire.Window(msg.nonce, mode, wire.NOBODY)
    current = self.enrolments._current
    if current and mode is LookMode.ENROL:
        current.window = msg.nonce
    match msg:
        case wire.Probe():
            self._judge.judge(msg, wire.NOBODY)
        case wire.Sample():
            self.enrolments.collect(msg)
        case wire.Guidance():
            self._guide(msg)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_vault_that_listens_to_everything_is_seen(
    monkeypatch: pytest.MonkeyPatch, moment: Callable[[House], bytes]
) -> None:
    monkeypatch.setattr(Vault, "_from_eye", listens_to_everything)
    house = House()
    house.connect()
    assert gained_by_eye(house, moment) != (0, False, False)
    house.close()


# ---- the two modes


def gained_by_the_wrong_mode(house: House) -> set[str]:
    """What eye gains by probing in an enrolment's window, and by sending enrolment frames in a recognition's."""
    house.enrol(11, ANNA)
    gained = set()
    house.begin(12)
    name = house.window(LookMode.ENROL)
    before = len(house.got(Room.LOCK, wire.Verdict))
    house.say(Room.EYE, probe_of(house, name))
    if len(house.got(Room.LOCK, wire.Verdict)) > before:
        gained.add("verdict")
    house.close_window()
    house.begin(12)
    house.show(BO, house.window(LookMode.RECOGNISE))
    if house.enrolling and house.enrolling.seen:
        gained.add("face")
    return gained


def test_a_probe_in_an_enrolment_window_and_a_frame_in_a_recognition_window_are_not_heard(house: House) -> None:
    assert gained_by_the_wrong_mode(house) == set()
    assert not house.got(Room.LOCK, wire.Breach)
    assert house.enrolling is not None, "the recognition's window was not the enrolment's and did not end it"


def test_a_vault_that_takes_no_notice_of_the_mode_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def any_mode(self: Vault, msg: wire.Message) -> None:
        if self._window is None or getattr(msg, "nonce", None) != self._window.nonce:
            return
        if isinstance(msg, wire.Probe):
            self._judge.judge(msg, wire.NOBODY)
        current = self.enrolments._current
        if isinstance(msg, wire.Sample) and current:
            current.window = msg.nonce
            self.enrolments.collect(msg)

    monkeypatch.setattr(Vault, "_from_eye", any_mode)
    house = House()
    house.connect()
    assert gained_by_the_wrong_mode(house) == {"verdict", "face"}
    house.close()


# ---- lock's restart


def unasked_after_a_lock_restart(house: House) -> list[wire.Message]:
    """What vault answers to a new lock that the old one had asked: the new one would take it for a breach."""
    ways: list[Callable[[], object]] = [lambda: house.lose_pin(11), lambda: house.wait(61), lambda: house.begin(11)]
    for ends in ways:
        house.begin(11)
        name = house.window()
        house.sample(ANNA, 0, name)
        house.disconnect(Room.LOCK)
        house.connect(Room.LOCK)
        ends()
        house.wait(61)
    return house.unasked


def test_a_lock_that_restarts_in_an_enrolment_hears_nothing_it_did_not_ask(house: House) -> None:
    assert unasked_after_a_lock_restart(house) == []
    assert house.enrol(11, ANNA) is Result.DONE


def test_a_lock_that_restarts_while_the_pin_is_awaited_hears_nothing_it_did_not_ask(house: House) -> None:
    ways: list[Callable[[], object]] = [house.confirm, lambda: house.wait(61)]
    for finish in ways:
        house.capture(ANNA)
        house.disconnect(Room.LOCK)
        house.connect(Room.LOCK)
        finish()
        house.act(wire.Erase, 11)
    assert house.unasked == []


def test_the_old_way_to_end_an_enrolment_is_seen_as_a_false_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_its_own_nonce(self: Enrolments, result: Result) -> None:
        current, self._current = self._current, None
        if current and current.window:
            self.rooms.send(Room.LOCK, wire.EnrolmentEnded(current.window, result))

    monkeypatch.setattr(Enrolments, "_end", by_its_own_nonce)
    monkeypatch.setattr(Enrolments, "window_over", lambda self: setattr(self, "_window", None))
    house = House()
    house.connect()
    assert unasked_after_a_lock_restart(house)
    house.close()
