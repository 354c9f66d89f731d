"""eye is heard on the approach that lock has named, in the mode that lock has named, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from device import edges, wire
from device.edges import Room
from device.vault.enrolling import Enrolling
from device.vault.loop import Vault
from device.wire import Attack, Hint, LookMode, Result
from tests.unit.vault.house import FRAMES, MODEL, House, edge_between, nonce, unit

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
    enrolling = house.vault._enrolling
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
    self._window = wire.Window(msg.nonce, mode)
    if self._enrolling and mode is LookMode.ENROL:
        self._enrolling.window = msg.nonce
    match msg:
        case wire.Probe():
            self._judge(msg)
        case wire.Sample():
            self._collect(msg)
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
    if house.vault._enrolling and house.vault._enrolling.seen:
        gained.add("face")
    return gained


def test_a_probe_in_an_enrolment_window_and_a_frame_in_a_recognition_window_are_not_heard(house: House) -> None:
    assert gained_by_the_wrong_mode(house) == set()
    assert not house.got(Room.LOCK, wire.Breach)
    assert house.vault._enrolling is not None, "the recognition's window was not the enrolment's and did not end it"


def test_a_vault_that_takes_no_notice_of_the_mode_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def any_mode(self: Vault, msg: wire.Message) -> None:
        if self._window is None or getattr(msg, "nonce", None) != self._window.nonce:
            return
        if isinstance(msg, wire.Probe):
            self._judge(msg)
        if isinstance(msg, wire.Sample) and self._enrolling:
            self._enrolling.window = msg.nonce
            self._collect(msg)

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
    def by_its_own_nonce(self: Vault, result: Result) -> None:
        enrolling, self._enrolling = self._enrolling, None
        if enrolling and enrolling.window:
            self.rooms.send(Room.LOCK, wire.EnrolmentEnded(enrolling.window, result))

    monkeypatch.setattr(Vault, "_end_enrolment", by_its_own_nonce)
    monkeypatch.setattr(Vault, "_window_over", lambda self: setattr(self, "_window", None))
    house = House()
    house.connect()
    assert unasked_after_a_lock_restart(house)
    house.close()


# ---- hints, and what desk hears


def test_hints_reach_lock_and_in_an_enrolment_desk_a_few_times_a_second(house: House) -> None:
    house.begin()
    name = house.window()
    for _ in range(50):
        house.say(Room.EYE, wire.Guidance(name, Hint.COME_CLOSER))
        house.wait(0.02)
    assert 4 <= len(house.got(Room.LOCK, wire.Guidance)) <= 6
    assert len(house.got(Room.DESK, wire.EnrolHint)) == len(house.got(Room.LOCK, wire.Guidance))


def hints_at_the_desk(house: House) -> list[wire.EnrolHint]:
    """What desk hears of hints while nobody enrols, while somebody waits to, and after their window."""

    def hinted(name: bytes) -> list[wire.EnrolHint]:
        house.wait(1)
        house.sent[Room.DESK].clear()
        house.say(Room.EYE, wire.Guidance(name, Hint.COME_CLOSER))
        return house.got(Room.DESK, wire.EnrolHint)

    house.enrol(11, ANNA)
    heard = hinted(house.window(LookMode.RECOGNISE))
    house.close_window()
    house.begin(12)
    heard += hinted(house.window(LookMode.RECOGNISE))
    house.close_window()
    name = house.window()
    house.show(BO, name)
    heard += hinted(name)
    house.close_window()
    house.wait(61)
    return heard + hinted(house.window())


def test_desk_hears_no_hint_but_the_enrolling_person_s(house: House) -> None:
    assert hints_at_the_desk(house) == []


def test_a_vault_that_passes_every_hint_on_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enrolling, "looks", lambda _self, _nonce: True)
    house = House()
    house.connect()
    assert hints_at_the_desk(house)
    house.close()


def test_eye_cannot_ask_for_the_pin(house: House) -> None:
    house.begin()
    house.say(Room.EYE, wire.Guidance(house.window(), Hint.CONFIRM_WITH_PIN))
    assert not house.got(Room.DESK, wire.EnrolHint)
    assert not house.got(Room.LOCK, wire.Guidance)


def test_hints_about_an_approach_that_was_judged_are_dropped(house: House) -> None:
    name = nonce()
    house.probe(ANNA, nonce=name)
    house.say(Room.EYE, wire.Guidance(name, Hint.HOLD_STILL))
    assert not house.got(Room.LOCK, wire.Guidance)


def test_desk_is_sent_outcomes_and_hints_and_has_no_room_for_anything_of_eye_s(house: House) -> None:
    allowed = edges.permitted(edge_between(Room.VAULT, Room.DESK), Room.VAULT)
    assert allowed == {wire.Done, wire.EnrolHint}
    grant = house.begin()
    name = house.window()
    house.say(Room.EYE, wire.Guidance(name, Hint.COME_CLOSER))
    for index in range(FRAMES):
        house.sample(ANNA, index, name)
    house.confirm()
    house.act(wire.Pause, 11)
    house.probe(BO)
    sent = house.sent[Room.DESK]
    assert {type(msg) for msg in sent} == allowed
    assert not [msg for msg in sent if name in wire.pack(msg)], "nor the nonce that eye was given"
    assert house.result(grant) is Result.DONE
