"""What desk carries while faces are tried out: for one command line, until it leaves, and to nobody afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device import wire
from device.desk import timeouts
from device.desk.trying.carrying import Trying
from device.edges import Room
from device.paths import Paths
from device.wire import Attack, Ended, Purpose, Result, Tried, TryFaces, TryStands
from tests.unit.desk.house import End, House

BEGIN, END = TryFaces(on=True), TryFaces(on=False)
BEGUN, ENDED = TryStands(on=True, asked=True), TryStands(on=False, asked=True)
OVER = TryStands(on=False, asked=False)
ACT = wire.Act(Purpose.ENROL, bytes(range(32)), under_14=False)


@dataclass(slots=True)
class Scene:
    house: House
    vault: End
    keeper: End
    person: End
    other: End

    def says(self, end: End, *messages: wire.Message) -> None:
        for msg in messages:
            end.say(msg)
            self.house.turn()

    def begin(self) -> None:
        self.says(self.person, BEGIN)
        assert self.vault.heard() == [BEGIN]
        self.says(self.vault, BEGUN)
        assert self.person.heard() == [BEGUN]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    house = House(Paths(tmp_path))
    yield Scene(house, *(house.join(room) for room in (Room.VAULT, Room.KEEPER, Room.DOORCTL, Room.DOORCTL)))
    house.close()


def test_a_try_reaches_whoever_tries_and_nobody_else(scene: Scene) -> None:
    scene.begin()
    scene.says(scene.vault, Tried(Attack.PRESENTATION), Tried(Attack.BONA_FIDE))
    assert scene.person.heard() == [Tried(Attack.PRESENTATION), Tried(Attack.BONA_FIDE)]
    assert scene.other.heard() == []
    scene.says(scene.person, END)
    assert scene.vault.heard() == [END]
    scene.says(scene.vault, ENDED)
    assert scene.person.heard() == [ENDED]


def test_one_at_a_time_and_the_other_hears_that_the_door_is_busy(scene: Scene) -> None:
    scene.begin()
    scene.says(scene.other, BEGIN, END)
    assert scene.other.heard() == [Ended(Result.BUSY)] * 2
    assert scene.vault.heard() == []
    scene.says(scene.vault, Tried(Attack.INCONCLUSIVE))
    assert scene.person.heard() == [Tried(Attack.INCONCLUSIVE)]


@pytest.mark.parametrize("answered", [True, False])
def test_it_ends_with_the_command_line_and_the_next_one_may_begin(scene: Scene, answered: bool) -> None:
    scene.says(scene.person, BEGIN)
    if answered:
        scene.says(scene.vault, BEGUN)
    scene.person.sock.close()
    scene.house.turn()
    assert scene.vault.heard() == [BEGIN, END]
    scene.says(scene.other, BEGIN)
    assert scene.other.heard() == [Ended(Result.BUSY)], "vault has not said yet that it has ended"
    scene.says(scene.vault, *([] if answered else [BEGUN]), Tried(Attack.BONA_FIDE), ENDED)
    assert scene.other.heard() == []
    assert not scene.vault.cut_off()
    scene.says(scene.other, BEGIN)
    scene.says(scene.vault, BEGUN)
    assert scene.other.heard() == [BEGUN]


def left_behind(scene: Scene) -> list[wire.Message]:
    """What vault is told when whoever tried out faces goes away."""
    scene.begin()
    scene.person.sock.close()
    scene.house.turn()
    return scene.vault.heard()


def test_a_desk_that_lets_it_go_on_without_anybody_is_seen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trying, "asker_left", lambda _self, _link: None)
    assert left_behind(scene) != [END]


def test_vault_may_end_it_by_itself_and_the_person_is_told(scene: Scene) -> None:
    scene.begin()
    scene.says(scene.vault, OVER)
    assert scene.person.heard() == [OVER]
    scene.says(scene.person, BEGIN)
    assert scene.vault.heard() == [BEGIN]


def test_an_end_that_crosses_vault_s_own_confuses_nobody(scene: Scene) -> None:
    scene.begin()
    scene.person.sock.close()
    scene.house.turn()
    scene.says(scene.vault, OVER, ENDED)
    scene.says(scene.other, BEGIN)
    scene.says(scene.vault, BEGUN)
    assert scene.other.heard() == [BEGUN]


def test_a_vault_that_leaves_ends_it(scene: Scene) -> None:
    scene.begin()
    scene.vault.sock.close()
    scene.house.turn()
    assert scene.person.heard() == [Ended(Result.FAULT)]


def test_without_vault_it_does_not_begin(scene: Scene) -> None:
    scene.vault.sock.close()
    scene.house.turn()
    scene.says(scene.person, BEGIN)
    assert scene.person.heard() == [Ended(Result.FAULT)]


def test_a_vault_that_does_not_answer_is_told_to_end(scene: Scene) -> None:
    scene.says(scene.person, BEGIN)
    scene.house.pass_time(timeouts.RECORD_S)
    assert scene.person.heard() == [Ended(Result.FAULT)]
    assert scene.vault.heard() == [BEGIN, END]
    scene.says(scene.vault, BEGUN, ENDED)
    assert scene.person.heard() == []
    assert not scene.vault.cut_off()


def test_to_end_what_nobody_began_is_answered(scene: Scene) -> None:
    scene.says(scene.person, END)
    assert scene.person.heard() == [ENDED]
    assert scene.vault.heard() == []


UNASKED: dict[str, list[wire.Message]] = {
    "a try": [Tried(Attack.BONA_FIDE)],
    "an answer": [ENDED],
    "that it began": [BEGUN],
    "that it began by itself": [TryStands(on=True, asked=False)],
}


@pytest.mark.parametrize("messages", UNASKED.values(), ids=UNASKED)
def test_what_nobody_had_asked_for_breaks_the_table(scene: Scene, messages: list[wire.Message]) -> None:
    scene.says(scene.vault, *messages)
    assert scene.vault.cut_off()
    assert scene.person.heard() == []


# ---- beside an enrolment


def test_nobody_enrols_meanwhile_and_their_ticket_waits(scene: Scene) -> None:
    scene.begin()
    scene.says(scene.keeper, scene.house.ticket(Purpose.ENROL))
    scene.says(scene.other, ACT)
    assert scene.other.heard() == [Ended(Result.BUSY)]
    scene.says(scene.person, END)
    scene.says(scene.vault, ENDED)
    scene.vault.heard()
    scene.says(scene.other, ACT)
    assert [type(msg) for msg in scene.vault.heard()] == [wire.Enrol]


def test_it_does_not_begin_while_somebody_enrols_and_erasing_goes_on_beside_it(scene: Scene) -> None:
    scene.says(scene.keeper, scene.house.ticket(Purpose.ENROL))
    scene.says(scene.other, ACT)
    scene.vault.heard()
    scene.says(scene.person, BEGIN)
    assert scene.person.heard() == [Ended(Result.BUSY)]
    assert scene.vault.heard() == []


def test_erasing_goes_on_beside_it(scene: Scene) -> None:
    scene.begin()
    ticket = scene.house.ticket(Purpose.ERASE)
    scene.says(scene.keeper, ticket)
    scene.says(scene.other, wire.Act(Purpose.ERASE, bytes(32), under_14=False))
    assert scene.vault.heard() == [wire.Erase(ticket.nonce)]
