"""The desk's work over real socket pairs: tickets spent once, everybody answered, nothing carried that may not be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device import wire
from device.desk import timeouts
from device.desk.loop import BUSY, NO_CONSENT
from device.desk.tickets import Tickets
from device.edges import Room
from device.paths import Paths
from device.wire import DoorStatus, Ended, Hint, Purpose, Result
from tests.unit.desk.house import End, House, nonce

AGREED = bytes(range(32))
WELL = DoorStatus(
    eye=True,
    vault=True,
    keeper=True,
    report=False,
    camera_well=True,
    alarms=0,
    policy_version=3,
)
ORDERS = {
    Purpose.ENROL: wire.Enrol,
    Purpose.ERASE: wire.Erase,
    Purpose.PAUSE: wire.Pause,
    Purpose.RESUME: wire.Resume,
}


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
        self.ask(wire.Act(purpose, AGREED if purpose is Purpose.ENROL else NO_CONSENT), who)

    def vault_says(self, msg: wire.Message) -> None:
        self.vault.say(msg)
        self.house.turn()

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


@pytest.mark.parametrize("purpose", Purpose)
def test_an_act_with_a_ticket_reaches_vault_and_its_end_reaches_the_person(scene: Scene, purpose: Purpose) -> None:
    grant = scene.earn(purpose)
    scene.act(purpose)
    (order,) = scene.vault.heard()
    assert type(order) is ORDERS[purpose]
    assert order == (wire.Enrol(grant, AGREED) if purpose is Purpose.ENROL else ORDERS[purpose](grant))
    scene.vault_says(wire.Done(grant, Result.NOTHING_TO_DO))
    assert scene.person.heard() == [Ended(Result.NOTHING_TO_DO)]


@pytest.mark.parametrize("purpose", Purpose)
def test_without_a_ticket_nothing_reaches_vault(scene: Scene, purpose: Purpose) -> None:
    scene.act(purpose)
    assert scene.person.heard() == [Ended(Result.NO_GRANT)]
    assert scene.vault.heard() == []


@pytest.mark.parametrize("held", Purpose)
@pytest.mark.parametrize("wanted", Purpose)
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

    scene.house.desk._tickets = Reusing()
    assert acts_for_one_ticket(scene) == 3


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
    assert scene.vault.heard() == [wire.Enrol(grant, AGREED)]
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
    person.say(wire.Act(Purpose.ERASE, NO_CONSENT))
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


@pytest.mark.parametrize("purpose", [Purpose.ERASE, Purpose.PAUSE, Purpose.RESUME])
def test_an_act_that_vault_never_ends_is_given_up_and_its_late_end_is_swallowed(scene: Scene, purpose: Purpose) -> None:
    grant = scene.earn(purpose)
    scene.act(purpose)
    scene.house.pass_time(timeouts.act_s(purpose) - 0.1)
    assert scene.person.heard() == []
    scene.house.pass_time(0.1)
    assert scene.person.heard() == [Ended(Result.FAULT)]
    scene.vault_says(wire.Done(grant, Result.DONE))
    assert scene.person.heard() == []
    assert scene.vault.heard() == [ORDERS[purpose](grant)]
    assert not scene.vault.cut_off()
    assert scene.house.desk.deadline() is None


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
    [wire.Act(Purpose.ENROL, NO_CONSENT), *(wire.Act(p, AGREED) for p in Purpose if p is not Purpose.ENROL)],
)
def test_an_act_with_a_consent_where_none_belongs_or_without_one_uses_no_ticket(
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
