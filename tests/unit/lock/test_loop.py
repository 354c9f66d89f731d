"""Lock's work between its board and the rooms: what is carried out, in which order, and what a broken line changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import config, wire
from device.edges import Room
from device.errors import BoltFault
from device.lock.loop import APPLY_NS
from device.lock.narrowing import rules_of
from device.lock.state import CardCame, CardReplied, DoorMoved, ExitRequested, FaceButton, Rules, Signal, TamperMoved
from device.wire import CameraCondition, LookMode, OccurrenceKind, Outcome, Result
from tests.unit.lock.house import Clock, End, House, sealed

PIN = "12#482913#"


def kinds(end: End) -> list[OccurrenceKind]:
    return [msg.kind for msg in end.heard() if isinstance(msg, wire.Occurrence)]


def ready(house: House) -> tuple[End, End]:
    """Eye and vault up, somebody enrolled."""
    eye, vault = house.join(Room.EYE), house.join(Room.VAULT)
    vault.say(wire.FaceReady(recognise=True, enrol=False, claim_first=False))
    house.turn()
    return eye, vault


def look(house: House, eye: End) -> wire.Look:
    house.board.happens(FaceButton())
    house.turn()
    (asked,) = eye.heard()
    assert isinstance(asked, wire.Look)
    return asked


# ---- the two ways in


def test_a_pin_opens_for_the_set_time_and_the_door_locks_again(house: House) -> None:
    keeper = house.join(Room.KEEPER)
    house.keys(PIN)
    (question,) = keeper.heard()
    assert isinstance(question, wire.CheckPin)
    assert (question.claim, question.digits) == (12, "482913")
    assert house.board.bolt.releases == 0
    keeper.say(house.accepted(question))
    house.turn()
    assert house.board.bolt.released_ms == 4000
    assert house.board.signals[-1] is Signal.OPENED
    house.passes(3.9)
    assert house.board.bolt.released_ms == 4000
    house.passes(0.2)
    assert house.board.bolt.released_ms is None


def test_a_face_opens_where_a_face_alone_may(house: House) -> None:
    eye, vault = ready(house)
    asked = look(house, eye)
    assert asked.mode is LookMode.RECOGNISE
    assert house.board.lit
    vault.say(house.accepted(asked))
    house.turn()
    assert house.board.bolt.released_ms == 4000
    assert eye.heard() == [wire.Close()]
    assert not house.board.lit


def test_a_face_alone_opens_nothing_on_a_door_with_the_cautious_tier(tmp_path: Path, clock: Clock) -> None:
    house = House(tmp_path, clock, Rules(face_alone_opens=False))
    eye, vault = ready(house)
    asked = look(house, eye)
    for left in (2, 1, 0):
        vault.say(house.accepted(asked))
        house.turn()
        assert house.board.bolt.releases == 0
        assert house.board.lit is (left > 0)
        (asked, *_) = (msg for msg in eye.heard() if isinstance(msg, wire.Look)) if left else (asked,)
    assert house.board.signals[-1] is Signal.ENTER_PIN
    house.close()


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.ACCEPTED])
def test_a_verdict_that_nobody_asked_for_ends_the_connection_and_is_an_alarm(house: House, outcome: Outcome) -> None:
    keeper, report = house.join(Room.KEEPER), house.join(Room.REPORT)
    kinds(report)
    keeper.say(wire.Verdict(bytes(16), house.clock.now_ns, outcome, 12))
    house.turn()
    assert keeper.cut_off()
    assert house.board.bolt.releases == 0
    assert OccurrenceKind.BREACH in kinds(report)
    assert Room.KEEPER not in house.work.state.up


def test_a_verdict_opens_once(house: House) -> None:
    keeper = house.join(Room.KEEPER)
    house.keys(PIN)
    (question,) = keeper.heard()
    keeper.say(house.accepted(question), house.accepted(question))
    house.turn()
    assert house.board.bolt.releases == 1
    assert keeper.cut_off()


def test_no_line_of_the_log_and_no_word_to_report_tells_who_typed_what(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    keeper, report = house.join(Room.KEEPER), house.join(Room.REPORT)
    house.keys("4711#482913#")
    (question,) = keeper.heard()
    keeper.say(house.accepted(question, slot=4711), house.accepted(question, slot=4711))  # the second is a breach
    house.turn()
    said = capfd.readouterr().err
    assert "alarm: keeper broke the table of messages" in said
    assert "4711" not in said
    assert "482913" not in said
    assert {type(msg) for msg in report.heard()} == {wire.Occurrence, wire.Reporting, wire.DoorKeys}


@pytest.mark.parametrize("missing", [Room.EYE, Room.VAULT])
def test_a_connection_that_only_a_socket_unit_took_is_nobody_and_lights_no_lamp(house: House, missing: Room) -> None:
    """A socket unit listens for a process that is dead: without this, a window opened for an eye that was not there."""
    ends = {room: house.join(room, served=room is not missing) for room in (Room.EYE, Room.VAULT)}
    if missing is not Room.VAULT:
        ends[Room.VAULT].say(wire.FaceReady(recognise=True, enrol=False, claim_first=False))
    house.turn()
    assert missing not in house.work.state.up
    house.board.happens(FaceButton())
    house.turn()
    assert house.board.signals == [Signal.USE_PIN_OR_CARD]
    assert ends[Room.EYE].heard() == []
    first_word = wire.CameraState(CameraCondition.IDLE) if missing is Room.EYE else wire.FaceReady(True, False, False)
    ends[missing].say(first_word)
    house.turn()
    house.board.happens(FaceButton())
    house.turn()
    assert house.board.lit


# ---- cards


def test_what_keeper_says_reaches_the_card_and_what_it_answers_keeper_and_then_it_opens(house: House) -> None:
    keeper = house.join(Room.KEEPER)
    house.board.happens(CardCame())
    house.turn()
    (shown,) = keeper.heard()
    assert isinstance(shown, wire.CardShown)
    keeper.say(wire.CardCommand(shown.nonce, b"\x90\x5a\0\0\0"))
    house.turn()
    assert house.board.told_card == [b"\x90\x5a\0\0\0"]
    house.board.happens(CardReplied(b"\x91\0"))
    house.turn()
    assert keeper.heard() == [wire.CardAnswer(shown.nonce, b"\x91\0")]
    keeper.say(house.accepted(shown))
    house.turn()
    assert house.board.bolt.released_ms == 4000
    assert house.board.told_card[1:] == [None]


def test_the_card_is_let_go_though_the_bolt_does_not_obey(house: House) -> None:
    keeper = house.join(Room.KEEPER)
    house.board.bolt.deaf_to_release = True
    house.board.happens(CardCame())
    house.turn()
    (shown,) = keeper.heard()
    keeper.say(house.accepted(shown))
    house.turn()
    assert house.board.bolt.releases == 0
    assert house.board.told_card == [None]
    assert house.board.signals[-1] is Signal.REFUSED


# ---- claim first


def claims(house: House, flat: str = "12") -> tuple[End, End, wire.AskClaim]:
    """Eye and vault up, too many faces; somebody typed a flat and pressed."""
    eye, vault = house.join(Room.EYE), house.join(Room.VAULT)
    vault.say(wire.FaceReady(recognise=False, enrol=False, claim_first=True))
    house.turn()
    house.keys(f"{flat}#")
    house.board.happens(FaceButton())
    house.turn()
    (question,) = vault.heard()
    assert isinstance(question, wire.AskClaim)
    return eye, vault, question


def test_vault_is_asked_about_the_flat_before_the_lamp_is_lit_and_compares_with_it_alone(house: House) -> None:
    eye, vault, question = claims(house)
    assert question.claim == 12
    assert eye.heard() == []
    assert not house.board.lit
    vault.say(wire.ClaimAnswer(question.nonce, awake=True))
    house.turn()
    assert house.board.lit
    (looked,) = eye.heard()
    assert isinstance(looked, wire.Look)
    assert vault.heard() == [wire.Window(looked.nonce, LookMode.RECOGNISE, 12)]
    vault.say(house.accepted(looked, slot=12))
    house.turn()
    assert house.board.bolt.released_ms == 4000


def test_a_vault_that_does_not_answer_costs_a_second_and_no_frame(house: House) -> None:
    eye, _, _ = claims(house)
    assert house.work.deadline() == pytest.approx(house.clock.monotonic() + 1)
    house.passes(1)
    assert house.board.signals[-1] is Signal.USE_PIN_OR_CARD
    assert eye.heard() == []


@pytest.mark.parametrize("asked_before", [True, False])
def test_an_answer_that_nobody_asked_for_ends_vaults_connection_and_any_window_and_is_an_alarm(
    house: House, asked_before: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    report = house.join(Room.REPORT)
    eye, vault, question = claims(house, "4711")
    kinds(report)
    first = wire.ClaimAnswer(question.nonce if asked_before else bytes(16), awake=True)
    vault.say(first, wire.ClaimAnswer(bytes(16), awake=True))
    house.turn()
    assert {type(msg) for msg in vault.heard()} <= {wire.Window}
    assert vault.cut_off()
    assert OccurrenceKind.BREACH in kinds(report)
    assert not house.board.lit
    assert house.work.state.window is None
    assert house.work.state.inquiry is None
    assert {type(msg) for msg in eye.heard()} <= {wire.Look, wire.Close}
    assert "4711" not in capfd.readouterr().err


def test_with_a_lamp_that_cannot_be_lit_a_claim_opens_no_camera_either(house: House) -> None:
    eye, vault, question = claims(house)
    house.board.lamp_broken = True
    vault.say(wire.ClaimAnswer(question.nonce, awake=True))
    house.turn()
    assert eye.heard() == []
    assert house.board.signals[-1] is Signal.REFUSED
    house.board.lamp_broken = False


def test_a_face_that_needs_its_pin_opens_with_it_and_not_before(house: House) -> None:
    keeper = house.join(Room.KEEPER)
    eye, vault = ready(house)
    asked = look(house, eye)
    vault.say(wire.Verdict(asked.nonce, house.clock.now_ns, Outcome.WITH_PIN, 12))
    house.turn()
    assert house.board.bolt.releases == 0
    assert house.board.signals[-1] is Signal.ENTER_PIN
    house.keys("482913#")
    (question,) = keeper.heard()
    keeper.say(house.accepted(question))
    house.turn()
    assert house.board.bolt.releases == 1


# ---- the order of effects


def test_the_lamp_is_lit_before_eye_is_asked_and_put_out_after_it_was_told_to_close(house: House) -> None:
    eye, vault = ready(house)
    order: list[object] = []
    house.board.on_lamp = lambda on: order.append((on, eye.heard()))
    asked = look_at_once(house, eye, order)
    vault.say(house.accepted(asked))
    house.turn()
    assert order == [(True, []), (False, [wire.Close()])]


def look_at_once(house: House, eye: End, order: list[object]) -> wire.Look:
    asked = look(house, eye)
    assert order == [(True, [])]
    return asked


def test_with_a_lamp_that_cannot_be_lit_the_camera_is_not_asked(house: House) -> None:
    eye, _ = ready(house)
    report = house.join(Room.REPORT)
    kinds(report)
    house.board.lamp_broken = True
    house.board.happens(FaceButton())
    house.turn()
    assert eye.heard() == []
    assert house.board.signals[-1] is Signal.REFUSED
    assert OccurrenceKind.BOLT_FAULT in kinds(report)
    house.board.lamp_broken = False
    house.passes(10.1)
    assert eye.heard() == [wire.Close()], "the window that never opened is closed for good measure"


# ---- a line that does not obey


def test_a_bolt_that_cannot_be_released_is_secured_and_told_and_nobody_hears_opened(house: House) -> None:
    keeper, report = house.join(Room.KEEPER), house.join(Room.REPORT)
    house.board.bolt.deaf_to_release = True
    house.keys(PIN)
    kinds(report)
    (question,) = keeper.heard()
    keeper.say(house.accepted(question))
    house.turn()
    assert house.board.bolt.released_ms is None
    assert kinds(report) == [OccurrenceKind.BOLT_FAULT]
    assert house.work.state.granted_until_ns is None
    assert Signal.OPENED not in house.board.signals
    assert house.board.signals[-1] is Signal.REFUSED
    assert house.work.healthy(), "secured: the process need not end"


def test_a_bolt_fault_in_the_middle_of_a_window_still_closes_camera_and_lamp(house: House) -> None:
    """Seen without this: eye kept streaming under a dark machine, and its next Look was taken for a breach."""
    eye, vault = ready(house)
    asked = look(house, eye)
    house.board.bolt.deaf_to_release = True
    vault.say(house.accepted(asked))
    house.turn()
    assert eye.heard() == [wire.Close()]
    assert not house.board.lit
    assert house.work.state.window is None


def test_a_bolt_that_cannot_be_secured_is_told_and_stops_the_watchdog(house: House) -> None:
    keeper, report = house.join(Room.KEEPER), house.join(Room.REPORT)
    house.keys(PIN)
    (question,) = keeper.heard()
    keeper.say(house.accepted(question))
    house.turn()
    kinds(report)
    house.board.bolt.deaf_to_secure = True
    house.passes(4.1)
    assert kinds(report) == [OccurrenceKind.BOLT_FAULT]
    assert not house.work.healthy()
    assert house.work.state.granted_until_ns is None
    house.board.bolt.deaf_to_secure = False
    house.keys(PIN)
    (question,) = keeper.heard()
    keeper.say(house.accepted(question))
    house.turn()
    house.passes(4.1)
    assert house.work.healthy()


def test_leaving_the_loop_secures_the_bolt_and_puts_the_lamp_out(house: House) -> None:
    eye, _ = ready(house)
    look(house, eye)
    house.board.bolt.release(4000)
    house.work.stop()
    assert house.board.bolt.released_ms is None
    assert not house.board.lit
    assert house.board.closed


def test_a_board_that_is_gone_ends_the_loop(house: House) -> None:
    house.board.gone = True
    house.board.happens(FaceButton())
    with pytest.raises(BoltFault, match="gone"):
        house.turn()


# ---- rooms that come and go


def test_report_hears_what_stands_when_it_comes(house: House) -> None:
    house.board.happens(TamperMoved(on=True))
    house.turn()
    assert kinds(house.join(Room.REPORT)) == [
        OccurrenceKind.STARTED,
        OccurrenceKind.VAULT_GONE,
        OccurrenceKind.KEEPER_GONE,
        OccurrenceKind.CAMERA_FAULT,
        OccurrenceKind.TAMPER,
    ]


def test_without_report_nothing_waits(house: House) -> None:
    house.board.happens(TamperMoved(on=True), DoorMoved(open=True), ExitRequested())
    house.turn()
    assert len(house.work.state.alarms) == 2


def test_keeper_gone_in_the_middle_of_a_check_refuses(house: House) -> None:
    keeper = house.join(Room.KEEPER)
    house.keys(PIN)
    keeper.sock.close()
    house.turn()
    assert house.board.signals[-1] is Signal.REFUSED
    house.keys(PIN)
    assert house.board.signals[-1] is Signal.REFUSED
    assert house.board.bolt.releases == 0


def test_a_breach_that_a_room_reports_is_an_alarm(house: House) -> None:
    report, desk = house.join(Room.REPORT), house.join(Room.DESK)
    kinds(report)
    desk.say(wire.Breach())
    house.turn()
    assert kinds(report) == [OccurrenceKind.BREACH]
    assert not desk.cut_off()


def test_the_next_deadline_is_the_nearest_of_machine_board_and_document(house: House) -> None:
    assert house.work.deadline() is None
    keeper, desk = house.join(Room.KEEPER), house.join(Room.DESK)
    desk.say(wire.Document(sealed()))
    house.turn()
    assert keeper.heard()
    now_s = house.clock.monotonic()
    assert house.work.deadline() == pytest.approx(now_s + APPLY_NS / 1e9)
    house.board.due_s = now_s + 1
    assert house.work.deadline() == pytest.approx(now_s + 1)
    house.board.due_s = now_s + 100
    house.board.happens(DoorMoved(open=True))
    house.turn()
    keeper.say(wire.OfferKept(12, 1, Result.DONE))
    house.turn()
    assert house.work.deadline() == pytest.approx(now_s + 30), "half of held_open_s: somebody is reminded first"


def test_the_rules_come_from_the_configuration() -> None:
    read = config.parse('[door]\nid = "00112233445566aa"\n[lock]\nunlock_ms = 500\nwindow_s = 2.5\nheld_open_s = 5\n')
    rules = rules_of(read)
    assert (rules.unlock_ns, rules.window_ns, rules.held_open_ns) == (500_000_000, 2_500_000_000, 5_000_000_000)
    assert rules.face_alone_opens is False
