"""The desk's work over real socket pairs: tickets spent once, everybody answered, nothing carried that may not be."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device import attestation, wire
from device.attestation import EndOfDoor
from device.desk import timeouts
from device.desk.errands import BUSY
from device.desk.tickets import Tickets
from device.desk.under_way import NO_CONSENT, ActUnderWay
from device.edges import Room
from device.paths import Paths
from device.strength import KeyPlace
from device.wire import DoorStatus, Ended, Hint, Purpose, Result
from tests.unit.desk.house import End, House, nonce
from tests.unit.desk.papers import CONSENT, KEY, RECEIPT

AGREED = bytes(range(32))
WELL = DoorStatus(
    eye=True,
    vault=True,
    keeper=True,
    report=False,
    camera_well=True,
    alarms=0,
    policy_version=3,
    document_key=bytes(range(32)),
    ending=wire.Ending.NONE,
    ends_in_s=0,
)
WITH_CONSENT = (Purpose.ENROL, Purpose.RENEW)
ACTS = [purpose for purpose in Purpose if purpose is not Purpose.PAGE]  # that one: tests/unit/desk/page
ATTESTED = (Purpose.ENROL, Purpose.RENEW, Purpose.ERASE)
PAPERS = {
    Purpose.ENROL: attestation.sign(CONSENT, KEY),
    Purpose.RENEW: attestation.sign(CONSENT, KEY),
    Purpose.ERASE: attestation.sign(RECEIPT, KEY),
}
PAPER = PAPERS[Purpose.ERASE]


def asked(purpose: Purpose, *, under_14: bool = False) -> wire.Act:
    """An act in its right form."""
    return wire.Act(purpose, AGREED if purpose in WITH_CONSENT else NO_CONSENT, under_14)


def ordered(purpose: Purpose, grant: bytes, *, under_14: bool = False) -> wire.Message:
    """What vault should hear of it."""
    match purpose:
        case Purpose.ENROL:
            return wire.Enrol(grant, AGREED, under_14)
        case Purpose.RENEW:
            return wire.Renew(grant, AGREED)
        case Purpose.ERASE:
            return wire.Erase(grant)
        case Purpose.PAUSE:
            return wire.Pause(grant)
        case Purpose.RESUME:
            return wire.Resume(grant)
        case Purpose.PAGE:
            raise AssertionError(purpose)


@dataclass(slots=True)
class Scene:
    house: House
    keeper: End
    vault: End
    lock: End
    person: End

    def earn(self, purpose: Purpose, ends_in_s: float = 60.0) -> bytes:
        ticket = self.house.ticket(purpose, ends_in_s)
        self.keeper.say(ticket)
        self.house.turn()
        return ticket.nonce

    def ask(self, msg: wire.Message, who: End | None = None) -> None:
        (who or self.person).say(msg)
        self.house.turn()

    def act(self, purpose: Purpose, who: End | None = None) -> None:
        self.ask(asked(purpose), who)

    def vault_says(self, msg: wire.Message) -> None:
        self.vault.say(msg)
        self.house.turn()

    def vault_is_cut_off(self) -> bool:
        """Whether the desk hung up on vault; what it said before is read and dropped."""
        self.vault.heard()
        return self.vault.cut_off()

    def lock_says(self, msg: wire.Message) -> None:
        self.lock.say(msg)
        self.house.turn()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    house = House(Paths(tmp_path))
    ends = [house.join(room) for room in (Room.KEEPER, Room.VAULT, Room.LOCK, Room.DOORCTL)]
    yield Scene(house, *ends)
    house.close()


# ---- acts


@pytest.mark.parametrize("purpose", ACTS)
def test_an_act_with_a_ticket_reaches_vault_and_its_end_reaches_the_person(scene: Scene, purpose: Purpose) -> None:
    grant = scene.earn(purpose)
    scene.act(purpose)
    (order,) = scene.vault.heard()
    assert order == ordered(purpose, grant)
    scene.vault_says(wire.Done(grant, Result.NOTHING_TO_DO))
    assert scene.person.heard() == [Ended(Result.NOTHING_TO_DO)]


@pytest.mark.parametrize("purpose", ACTS)
def test_without_a_ticket_nothing_reaches_vault(scene: Scene, purpose: Purpose) -> None:
    scene.act(purpose)
    assert scene.person.heard() == [Ended(Result.NO_GRANT)]
    assert scene.vault.heard() == []


@pytest.mark.parametrize("held", ACTS)
@pytest.mark.parametrize("wanted", ACTS)
def test_a_ticket_serves_no_other_purpose(scene: Scene, held: Purpose, wanted: Purpose) -> None:
    scene.earn(held)
    scene.act(wanted)
    assert bool(scene.vault.heard()) is (held is wanted)


def test_an_expired_ticket_serves_nothing(scene: Scene) -> None:
    scene.earn(Purpose.ERASE, ends_in_s=5)
    scene.house.pass_time(5)
    scene.act(Purpose.ERASE)
    assert scene.person.heard() == [Ended(Result.NO_GRANT)]
    assert scene.vault.heard() == []


def acts_for_one_ticket(scene: Scene) -> int:
    """How many orders reach vault when one ticket was earned and three acts are asked for."""
    grant = scene.earn(Purpose.ERASE)
    orders = 0
    for _ in range(3):
        scene.act(Purpose.ERASE)
        heard = scene.vault.heard()
        orders += len(heard)
        if heard:
            scene.vault_says(wire.Done(grant, Result.DONE))
    return orders


def test_one_ticket_is_one_act(scene: Scene) -> None:
    assert acts_for_one_ticket(scene) == 1


def test_a_desk_that_keeps_used_tickets_would_be_caught(scene: Scene) -> None:
    class Reusing(Tickets):
        def take(self, purpose: Purpose, now_ns: int) -> bytes | None:
            return next((held.nonce for held in self._unused if held.purpose is purpose), None)

    scene.house.desk._act._tickets = Reusing()
    assert acts_for_one_ticket(scene) == 3


def enrolments_for_one_wish(scene: Scene) -> int:
    """How many enrolments reach vault when one was begun and confirmed with the PIN, and a second one is asked for."""
    grant = scene.earn(Purpose.ENROL)
    scene.act(Purpose.ENROL)
    scene.earn(Purpose.ENROL)  # the PIN that confirms it
    scene.vault_says(wire.Done(grant, Result.DONE))
    scene.act(Purpose.ENROL)
    return sum(isinstance(msg, wire.Enrol) for msg in scene.vault.heard())


def test_the_pin_that_confirms_an_enrolment_earns_no_second_one(scene: Scene) -> None:
    assert enrolments_for_one_wish(scene) == 1
    assert scene.person.heard() == [Ended(Result.DONE), Ended(Result.NO_GRANT)]


def test_a_desk_that_keeps_the_confirming_ticket_would_be_caught(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActUnderWay, "keep", lambda act, ticket: act._tickets.add(ticket, act._now_ns()))
    assert enrolments_for_one_wish(scene) == 2


@pytest.mark.parametrize(
    ("under_way", "earned"),
    [(one, other) for one in ACTS for other in ACTS if not one is other is Purpose.ENROL],
)
def test_any_other_ticket_earned_while_an_act_is_under_way_is_kept(
    scene: Scene, under_way: Purpose, earned: Purpose
) -> None:
    first = scene.earn(under_way)
    scene.act(under_way)
    second = scene.earn(earned)
    scene.vault_says(wire.Done(first, Result.DONE))
    scene.vault.heard()
    scene.act(earned)
    assert scene.vault.heard() == [ordered(earned, second)]


def test_a_failed_act_has_used_its_ticket_too(scene: Scene) -> None:
    grant = scene.earn(Purpose.PAUSE)
    scene.act(Purpose.PAUSE)
    scene.vault_says(wire.Done(grant, Result.FAULT))
    scene.act(Purpose.PAUSE)
    assert scene.person.heard() == [Ended(Result.FAULT), Ended(Result.NO_GRANT)]


def test_hints_reach_only_the_person_who_is_enrolling(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    hint = wire.EnrolHint(Hint.COME_CLOSER)
    scene.vault_says(hint)
    assert scene.person.heard() == []
    scene.earn(Purpose.ENROL)
    scene.act(Purpose.ENROL)
    scene.vault_says(hint)
    assert scene.person.heard() == [hint]
    assert other.heard() == []


def test_hints_are_not_for_other_acts(scene: Scene) -> None:
    scene.earn(Purpose.ERASE)
    scene.act(Purpose.ERASE)
    scene.vault_says(wire.EnrolHint(Hint.COME_CLOSER))
    assert scene.person.heard() == []


def test_of_two_people_at_once_the_second_is_told_busy_and_loses_no_ticket(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    first, second = scene.earn(Purpose.ENROL), scene.earn(Purpose.ERASE)
    scene.act(Purpose.ENROL)
    scene.act(Purpose.ERASE, other)
    assert other.heard() == [Ended(BUSY)]
    scene.vault_says(wire.Done(first, Result.DONE))
    assert scene.person.heard() == [Ended(Result.DONE)]
    assert other.heard() == []
    scene.act(Purpose.ERASE, other)
    scene.vault_says(wire.Done(second, Result.DONE))
    assert other.heard() == [Ended(Result.DONE)]
    assert scene.person.heard() == []


def test_a_command_line_that_vanishes_in_the_middle_leaves_the_desk_usable(scene: Scene) -> None:
    grant = scene.earn(Purpose.PAUSE)
    scene.act(Purpose.PAUSE)
    scene.person.sock.close()
    scene.house.turn()
    other = scene.house.join(Room.DOORCTL)
    scene.vault_says(wire.Done(grant, Result.DONE))
    assert other.heard() == [], "somebody else's answer"
    again = scene.earn(Purpose.ERASE)
    scene.act(Purpose.ERASE, other)
    scene.vault_says(wire.Done(again, Result.DONE))
    assert other.heard() == [Ended(Result.DONE)]


def test_an_enrolment_ends_with_the_command_line_that_asked_for_it(scene: Scene) -> None:
    grant = scene.earn(Purpose.ENROL)
    scene.act(Purpose.ENROL)
    scene.person.sock.close()
    scene.house.turn()
    assert scene.vault.heard() == [wire.Enrol(grant, AGREED, under_14=False)]
    assert scene.vault.cut_off(), "vault ends an enrolment when its surface goes away"
    scene.vault.sock.close()
    scene.vault = scene.house.join(Room.VAULT)
    other = scene.house.join(Room.DOORCTL)
    again = scene.earn(Purpose.ENROL)
    scene.act(Purpose.ENROL, other)
    scene.vault_says(wire.Done(again, Result.DONE))
    assert other.heard() == [Ended(Result.DONE)]


def test_another_command_line_that_leaves_ends_nobodys_enrolment(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    grant = scene.earn(Purpose.ENROL)
    scene.act(Purpose.ENROL)
    other.sock.close()
    scene.house.turn()
    scene.vault_says(wire.Done(grant, Result.DONE))
    assert scene.person.heard() == [Ended(Result.DONE)]


def test_an_act_is_a_fault_when_vault_is_away(tmp_path: Path) -> None:
    house = House(Paths(tmp_path))
    keeper, person = house.join(Room.KEEPER), house.join(Room.DOORCTL)
    keeper.say(house.ticket(Purpose.ERASE))
    house.turn()
    person.say(asked(Purpose.ERASE))
    house.turn()
    assert person.heard() == [Ended(Result.FAULT)]
    house.close()


def test_an_act_is_a_fault_when_vault_dies_during_it(scene: Scene) -> None:
    scene.earn(Purpose.ENROL)
    scene.act(Purpose.ENROL)
    scene.vault.sock.close()
    scene.house.turn()
    assert scene.person.heard() == [Ended(Result.FAULT)]


def test_an_enrolment_that_never_ends_is_withdrawn(scene: Scene) -> None:
    scene.earn(Purpose.ENROL)
    scene.act(Purpose.ENROL)
    scene.house.pass_time(timeouts.ENROL_S)
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.vault.heard()
    assert scene.vault.cut_off()


@pytest.mark.parametrize("purpose", [each for each in ACTS if each is not Purpose.ENROL])
def test_an_act_that_vault_never_ends_is_given_up_and_its_late_end_is_swallowed(scene: Scene, purpose: Purpose) -> None:
    grant = scene.earn(purpose)
    scene.act(purpose)
    scene.house.pass_time(timeouts.act_s(purpose) - 0.1)
    assert scene.person.heard() == []
    scene.house.pass_time(0.1)
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.vault_says(wire.Done(grant, Result.DONE))
    assert scene.person.heard() == []
    assert scene.vault.heard() == [ordered(purpose, grant)]
    assert not scene.vault.cut_off()
    assert scene.house.desk.deadline() is None


def test_a_guardians_declaration_reaches_vault_with_the_enrolment(scene: Scene) -> None:
    grant = scene.earn(Purpose.ENROL)
    scene.ask(asked(Purpose.ENROL, under_14=True))
    assert scene.vault.heard() == [wire.Enrol(grant, AGREED, under_14=True)]


def test_that_a_face_is_covered_reaches_vault_with_the_enrolment(scene: Scene) -> None:
    grant = scene.earn(Purpose.ENROL)
    scene.ask(dataclasses.replace(asked(Purpose.ENROL), covered=True))
    assert scene.vault.heard() == [wire.Enrol(grant, AGREED, under_14=False, covered=True)]


def test_that_it_is_another_sitting_reaches_vault_with_the_enrolment(scene: Scene) -> None:
    grant = scene.earn(Purpose.ENROL)
    scene.ask(dataclasses.replace(asked(Purpose.ENROL), again=True))
    assert scene.vault.heard() == [wire.Enrol(grant, AGREED, under_14=False, again=True)]


# ---- what the door signs


@pytest.mark.parametrize("purpose", ATTESTED)
def test_what_the_door_signed_reaches_the_one_who_asked_before_the_end(scene: Scene, purpose: Purpose) -> None:
    other = scene.house.join(Room.DOORCTL)
    grant = scene.earn(purpose)
    scene.act(purpose)
    scene.vault_says(wire.Attestation(grant, PAPERS[purpose]))
    scene.vault_says(wire.Done(grant, Result.DONE))
    assert scene.person.heard() == [wire.AttestationCopy(PAPERS[purpose]), Ended(Result.DONE)]
    assert other.heard() == []


LEAKS = {
    "a template": bytes(range(256)) + bytes(128),
    "nothing": b"",
    "the paper of another act": attestation.sign(CONSENT, KEY),
    "changed": PAPER[:-1] + bytes([PAPER[-1] ^ 1]),
    "with something behind it": PAPER + b"more",
}


@pytest.mark.parametrize("what", LEAKS)
def test_what_is_not_the_paper_of_the_act_is_a_breach_and_goes_nowhere(scene: Scene, what: str) -> None:
    """A vault that was taken over could send 384 bytes of whatever it holds to the room that reaches a network."""
    grant = scene.earn(Purpose.ERASE)
    scene.act(Purpose.ERASE)
    scene.vault_says(wire.Attestation(grant, LEAKS[what]))
    assert not any(isinstance(msg, wire.AttestationCopy) for msg in scene.person.heard())
    assert scene.vault_is_cut_off()


# ---- the end of the door

END = attestation.sign(EndOfDoor(bytes(8), 20_000, KeyPlace.TPM_NV, KeyPlace.FILE_HOST_KEY), KEY)


def test_the_wish_to_end_the_door_goes_to_lock_and_its_answer_to_whoever_asked(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    scene.ask(wire.RetireDoor(bytes(8)))
    assert scene.lock.heard() == [wire.RetireDoor(bytes(8))]
    assert scene.vault.heard() == []
    scene.lock_says(Ended(Result.NO_GRANT))
    assert (scene.person.heard(), other.heard()) == ([Ended(Result.NO_GRANT)], [])
    scene.lock_says(Ended(Result.DONE))
    scene.lock.heard()
    assert scene.lock.cut_off(), "an end that nobody asked for"


def test_a_lock_that_is_away_or_leaves_ends_no_door(scene: Scene) -> None:
    """As it leaves when it has decided: the person asks again, and hears that it has ended."""
    scene.ask(wire.RetireDoor(bytes(8)))
    scene.lock.sock.close()
    scene.house.turn()
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.ask(wire.RetireDoor(bytes(8)))
    assert scene.person.heard() == [Ended(Result.FAULT)]


@pytest.mark.parametrize("content", [b"", END], ids=["none yet", "signed"])
def test_the_receipt_for_the_end_comes_from_vault_as_often_as_it_is_asked(scene: Scene, content: bytes) -> None:
    for _ in range(2):
        scene.ask(wire.AskRetirement())
        assert scene.vault.heard() == [wire.AskRetirement()]
        scene.vault_says(wire.AttestationCopy(content))
        assert scene.person.heard() == [wire.AttestationCopy(content)]


END_LEAKS = {
    "a template": bytes(range(256)) + bytes(128),
    "the paper of another act": PAPER,
    "changed": END[:-1] + bytes([END[-1] ^ 1]),
    "with something behind it": END + b"more",
}


@pytest.mark.parametrize("what", END_LEAKS)
def test_what_is_not_the_receipt_for_the_end_is_a_breach_and_goes_nowhere(scene: Scene, what: str) -> None:
    scene.ask(wire.AskRetirement())
    scene.vault_says(wire.AttestationCopy(END_LEAKS[what]))
    assert scene.vault_is_cut_off()
    assert not any(isinstance(msg, wire.AttestationCopy) for msg in scene.person.heard())


def test_a_desk_that_hands_on_whatever_vault_calls_a_receipt_is_caught(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault of the test above."""
    monkeypatch.setattr("device.desk.loop.ends_a_door", lambda _content: True)
    scene.ask(wire.AskRetirement())
    scene.vault_says(wire.AttestationCopy(END_LEAKS["a template"]))
    assert scene.person.heard() == [wire.AttestationCopy(END_LEAKS["a template"])]


def test_a_receipt_that_nobody_asked_for_is_a_breach(scene: Scene) -> None:
    scene.vault_says(wire.AttestationCopy(END))
    assert scene.vault_is_cut_off()


def papers_that_were_told(scene: Scene, purpose: Purpose, grants: list[bytes]) -> list[wire.Message]:
    """What a person hears while vault signs for each of `grants`; theirs is the first ticket for `purpose`."""
    scene.act(purpose)
    for grant in grants:
        scene.vault_says(wire.Attestation(grant, PAPER))
    return [msg for msg in scene.person.heard() if isinstance(msg, wire.AttestationCopy)]


@pytest.mark.parametrize("purpose", ACTS)
def test_a_paper_about_another_act_is_a_breach_and_is_shown_to_nobody(scene: Scene, purpose: Purpose) -> None:
    scene.earn(purpose)
    assert papers_that_were_told(scene, purpose, [nonce()]) == []
    assert scene.vault_is_cut_off()
    assert scene.lock.heard() == [wire.Breach()]


def test_a_desk_that_hands_on_whatever_vault_signs_would_be_caught(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trusting(act: ActUnderWay, _grant: bytes, content: bytes) -> None:
        if act._act:
            act._act.tell(wire.AttestationCopy(content))

    monkeypatch.setattr(ActUnderWay, "hand_on", trusting)
    scene.earn(Purpose.ERASE)
    assert papers_that_were_told(scene, Purpose.ERASE, [nonce()]) == [wire.AttestationCopy(PAPER)]


@pytest.mark.parametrize("purpose", [Purpose.PAUSE, Purpose.RESUME])
def test_a_paper_about_an_act_that_has_none_is_a_breach(scene: Scene, purpose: Purpose) -> None:
    grant = scene.earn(purpose)
    assert papers_that_were_told(scene, purpose, [grant]) == []
    assert scene.vault_is_cut_off()


def test_a_second_paper_about_one_act_is_a_breach(scene: Scene) -> None:
    grant = scene.earn(Purpose.ERASE)
    assert papers_that_were_told(scene, Purpose.ERASE, [grant, grant]) == [wire.AttestationCopy(PAPER)]
    assert scene.vault_is_cut_off()


def test_a_paper_after_the_end_of_its_act_is_a_breach(scene: Scene) -> None:
    grant = scene.earn(Purpose.ERASE)
    scene.act(Purpose.ERASE)
    scene.vault_says(wire.Done(grant, Result.DONE))
    scene.vault_says(wire.Attestation(grant, PAPER))
    assert scene.person.heard() == [Ended(Result.DONE)]
    assert scene.vault_is_cut_off()


def test_the_paper_of_an_act_that_took_too_long_is_told_to_nobody_and_is_no_breach(scene: Scene) -> None:
    grant = scene.earn(Purpose.ERASE)
    scene.act(Purpose.ERASE)
    scene.house.pass_time(timeouts.ACT_S)
    other = scene.house.join(Room.DOORCTL)
    scene.earn(Purpose.RENEW)
    scene.act(Purpose.RENEW, other)
    scene.vault_says(wire.Attestation(grant, PAPER))
    scene.vault_says(wire.Done(grant, Result.DONE))
    assert (scene.person.heard(), other.heard()) == ([Ended(Result.FAULT)], [])
    assert not scene.vault_is_cut_off()


def test_a_paper_for_somebody_who_left_reaches_nobody_else(scene: Scene) -> None:
    grant = scene.earn(Purpose.ERASE)
    scene.act(Purpose.ERASE)
    scene.person.sock.close()
    scene.house.turn()
    other = scene.house.join(Room.DOORCTL)
    scene.vault_says(wire.Attestation(grant, PAPER))
    scene.vault_says(wire.Done(grant, Result.DONE))
    assert other.heard() == []
    assert not scene.vault_is_cut_off()


# ---- new keys


def begin_rekey(scene: Scene, who: End | None = None) -> bytes:
    """Ask for new keys; the nonce under which vault heard of it."""
    scene.ask(wire.AskRekey(), who)
    (order,) = scene.vault.heard()
    assert isinstance(order, wire.Rekey)
    return order.nonce


@pytest.mark.parametrize("result", [Result.DONE, Result.FAULT, Result.NOTHING_TO_DO])
def test_a_rekey_needs_no_ticket_and_its_end_reaches_whoever_asked(scene: Scene, result: Result) -> None:
    other = scene.house.join(Room.DOORCTL)
    scene.vault_says(wire.Done(begin_rekey(scene), result))
    assert (scene.person.heard(), other.heard()) == ([Ended(result)], [])
    assert scene.house.desk.deadline() is None


def test_every_rekey_has_a_nonce_of_its_own(scene: Scene) -> None:
    nonces: list[bytes] = []
    for _ in range(8):
        nonces.append(begin_rekey(scene))
        scene.vault_says(wire.Done(nonces[-1], Result.DONE))
    assert len(set(nonces)) == len(nonces)


def test_rekey_and_act_are_never_under_way_together(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    ticket = scene.earn(Purpose.ERASE)
    rekey = begin_rekey(scene)
    scene.act(Purpose.ERASE, other)
    scene.ask(wire.AskRekey(), other)
    assert other.heard() == [Ended(BUSY)] * 2
    scene.vault_says(wire.Done(rekey, Result.DONE))
    scene.act(Purpose.ERASE, other)
    assert scene.vault.heard() == [wire.Erase(ticket)], "it lost no ticket by being told to wait"
    scene.ask(wire.AskRekey())
    assert scene.person.heard() == [Ended(Result.DONE), Ended(BUSY)]


def test_a_rekey_that_vault_never_ends_is_given_up_after_its_own_time(scene: Scene) -> None:
    rekey = begin_rekey(scene)
    scene.house.pass_time(timeouts.REKEY_S - 0.1)
    assert scene.person.heard() == []
    scene.house.pass_time(0.1)
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.vault_says(wire.Done(rekey, Result.DONE))
    assert scene.person.heard() == []
    assert not scene.vault_is_cut_off()


def test_a_rekey_is_a_fault_when_vault_is_away_or_leaves(scene: Scene) -> None:
    begin_rekey(scene)
    scene.vault.sock.close()
    scene.house.turn()
    scene.ask(wire.AskRekey())
    assert scene.person.heard() == [Ended(Result.FAULT)] * 2


def test_a_rekey_goes_on_without_the_command_line_that_asked_for_it(scene: Scene) -> None:
    rekey = begin_rekey(scene)
    scene.person.sock.close()
    scene.house.turn()
    scene.vault_says(wire.Done(rekey, Result.DONE))
    assert not scene.vault_is_cut_off()


def test_a_paper_about_a_rekey_is_a_breach(scene: Scene) -> None:
    scene.vault_says(wire.Attestation(begin_rekey(scene), PAPER))
    assert scene.person.heard() == [Ended(Result.FAULT)]
    assert scene.vault_is_cut_off()


# ---- questions about a record


def about(named: bool) -> wire.RecordAnswer:
    return wire.RecordAnswer(named, 3, bytes(range(32)), bytes(16))


def test_a_record_is_asked_of_vault_and_told_to_whoever_asked(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    record = nonce()
    scene.ask(wire.QueryRecord(record))
    assert scene.vault.heard() == [wire.AskRecord(record)]
    scene.vault_says(about(named=True))
    assert (scene.person.heard(), other.heard()) == ([about(named=True)], [])


def test_answers_about_records_are_told_in_order(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    scene.ask(wire.QueryRecord(nonce()))
    scene.ask(wire.QueryRecord(nonce()), other)
    scene.vault_says(about(named=False))
    scene.vault_says(about(named=True))
    assert (scene.person.heard(), other.heard()) == ([about(named=False)], [about(named=True)])


def test_a_late_answer_about_a_record_is_not_taken_for_the_next_ones(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    scene.ask(wire.QueryRecord(nonce()))
    scene.house.pass_time(timeouts.RECORD_S)
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.ask(wire.QueryRecord(nonce()), other)
    scene.vault_says(about(named=False))
    assert (scene.person.heard(), other.heard()) == ([], [])
    scene.vault_says(about(named=True))
    assert other.heard() == [about(named=True)]


def test_questions_about_records_end_when_vault_is_away_or_leaves_and_the_next_vault_starts_clean(scene: Scene) -> None:
    scene.ask(wire.QueryRecord(nonce()))
    scene.ask(wire.QueryRecord(nonce()))
    scene.vault.sock.close()
    scene.house.turn()
    assert scene.person.heard() == [Ended(Result.FAULT)] * 2
    scene.ask(wire.QueryRecord(nonce()))
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.vault = scene.house.join(Room.VAULT)
    scene.ask(wire.QueryRecord(nonce()))
    scene.vault_says(about(named=True))
    assert scene.person.heard() == [about(named=True)]


def test_too_many_questions_about_records_are_told_busy(scene: Scene) -> None:
    for _ in range(40):
        scene.ask(wire.QueryRecord(nonce()))
    assert scene.person.heard() == [Ended(BUSY)] * 8
    assert len(scene.vault.heard()) == 32


def test_a_question_about_a_record_does_not_wait_for_an_act(scene: Scene) -> None:
    scene.earn(Purpose.ENROL)
    scene.act(Purpose.ENROL)
    other = scene.house.join(Room.DOORCTL)
    scene.ask(wire.QueryRecord(nonce()), other)
    scene.vault_says(about(named=False))
    assert other.heard() == [about(named=False)]


def test_an_answer_about_a_record_that_nobody_asked_for_cuts_vault_off(scene: Scene) -> None:
    scene.vault_says(about(named=False))
    assert scene.vault_is_cut_off()
    assert scene.lock.heard() == [wire.Breach()]


# ---- what must not be said


def test_an_end_that_nobody_waits_for_cuts_vault_off_and_raises_the_alarm(scene: Scene) -> None:
    scene.vault_says(wire.Done(nonce(), Result.DONE))
    assert scene.vault.cut_off()
    assert scene.lock.heard() == [wire.Breach()]


@pytest.mark.parametrize("answer", [WELL, wire.Ack(1, Result.DONE)])
def test_an_answer_nobody_asked_for_cuts_lock_off_and_is_an_alarm_once_lock_is_back(
    scene: Scene, answer: wire.Message
) -> None:
    scene.lock_says(answer)
    assert scene.lock.cut_off()
    assert scene.house.join(Room.LOCK).heard() == [wire.Breach()]
    assert scene.house.join(Room.LOCK).heard() == []


@pytest.mark.parametrize(
    "malformed",
    [
        *(wire.Act(p, NO_CONSENT, under_14=False) for p in WITH_CONSENT),
        *(wire.Act(p, AGREED, under_14=False) for p in ACTS if p not in WITH_CONSENT),
        *(dataclasses.replace(asked(p), under_14=True) for p in ACTS if p is not Purpose.ENROL),
        *(dataclasses.replace(asked(p), covered=True) for p in ACTS if p is not Purpose.ENROL),
        *(dataclasses.replace(asked(p), again=True) for p in ACTS if p is not Purpose.ENROL),
    ],
)
def test_an_act_with_a_consent_or_a_declaration_where_none_belongs_uses_no_ticket(
    scene: Scene, malformed: wire.Act
) -> None:
    scene.earn(malformed.purpose)
    scene.ask(malformed)
    assert scene.person.cut_off()
    assert scene.vault.heard() == []
    other = scene.house.join(Room.DOORCTL)
    scene.act(malformed.purpose, other)
    assert len(scene.vault.heard()) == 1


@pytest.mark.parametrize("msg", [wire.Erase(bytes(16)), wire.GrantTicket(bytes(16), Purpose.ERASE, 2**62), WELL])
def test_a_command_line_can_neither_grant_nor_order(scene: Scene, msg: wire.Message) -> None:
    scene.ask(msg)
    assert scene.person.cut_off()
    assert scene.vault.heard() == []
    assert scene.lock.heard() == [wire.Breach()]


# ---- status and documents


def test_a_status_is_asked_of_lock_and_told_to_whoever_asked(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    scene.ask(wire.AskStatus())
    assert scene.lock.heard() == [wire.AskStatus()]
    scene.lock_says(WELL)
    assert (scene.person.heard(), other.heard()) == ([WELL], [])


def test_two_who_ask_at_once_are_answered_in_turn(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    scene.ask(wire.AskStatus())
    scene.ask(wire.AskStatus(), other)
    scene.lock_says(WELL)
    assert (scene.person.heard(), other.heard()) == ([WELL], [])
    scene.lock_says(WELL)
    assert (scene.person.heard(), other.heard()) == ([], [WELL])


def test_a_late_status_is_not_taken_for_the_next_ones_answer(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    scene.ask(wire.AskStatus())
    scene.house.pass_time(timeouts.STATUS_S)
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.ask(wire.AskStatus(), other)
    scene.lock_says(WELL)
    assert (scene.person.heard(), other.heard()) == ([], [])
    scene.lock_says(WELL)
    assert other.heard() == [WELL]


def test_too_many_status_questions_are_told_busy(scene: Scene) -> None:
    for _ in range(40):
        scene.ask(wire.AskStatus())
    assert scene.person.heard() == [Ended(BUSY)] * 8
    assert len(scene.lock.heard()) == 32


def test_a_document_is_carried_unread_and_its_ack_comes_back(scene: Scene) -> None:
    scene.ask(wire.Document(b"anything"))
    assert scene.lock.heard() == [wire.Document(b"anything")]
    scene.lock_says(wire.Ack(7, Result.STALE))
    assert scene.person.heard() == [wire.Ack(7, Result.STALE)]


def test_one_document_at_a_time(scene: Scene) -> None:
    other = scene.house.join(Room.DOORCTL)
    scene.ask(wire.Document(b"one"))
    scene.ask(wire.Document(b"two"), other)
    assert other.heard() == [Ended(BUSY)]
    assert scene.lock.heard() == [wire.Document(b"one")]
    scene.house.pass_time(timeouts.DOCUMENT_S)
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.ask(wire.Document(b"two"), other)
    assert other.heard() == [Ended(BUSY)], "the first one's late Ack would be told to the second"
    scene.lock_says(wire.Ack(1, Result.DONE))
    assert (scene.person.heard(), other.heard()) == ([], [])
    scene.ask(wire.Document(b"two"), other)
    scene.lock_says(wire.Ack(2, Result.DONE))
    assert other.heard() == [wire.Ack(2, Result.DONE)]


def test_whoever_waits_for_lock_is_told_when_it_dies_and_the_next_lock_starts_clean(scene: Scene) -> None:
    scene.ask(wire.AskStatus())
    scene.ask(wire.Document(b"one"))
    scene.lock.sock.close()
    scene.house.turn()
    assert scene.person.heard() == [Ended(Result.FAULT)] * 2
    scene.ask(wire.AskStatus())
    scene.ask(wire.Document(b"one"))
    assert scene.person.heard() == [Ended(Result.FAULT)] * 2
    scene.lock = scene.house.join(Room.LOCK)
    scene.ask(wire.Document(b"one"))
    scene.lock_says(wire.Ack(1, Result.DONE))
    assert scene.person.heard() == [wire.Ack(1, Result.DONE)]


def test_a_desk_nobody_asks_never_wakes_up(scene: Scene) -> None:
    scene.earn(Purpose.ENROL)
    assert scene.house.desk.deadline() is None
