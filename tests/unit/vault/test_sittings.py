"""A sitting at the residents' page: every act of its slot until it ends, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device import wire
from device.edges import Room
from device.vault.grants import MAX_LIVE, Allowed, Grants
from device.vault.sittings import LONGEST_NS, MOST, Sitting, Sittings
from device.wire import Grant, Purpose, Result
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import CONSENT, SECOND, TERMS, nonce, unit

ANNA, BO = unit(1), unit(2)


def sit(house: House, slot: int = 11, seconds: float = 600) -> bytes:
    """Somebody with a PIN on `slot` opened a sitting; its grant."""
    if slot not in house.tenancies:
        house.move_in(slot)
    return house.grant(Purpose.PAGE, slot, seconds)


def over(house: House) -> list[bytes]:
    return [msg.grant for msg in house.got(Room.DESK, wire.SittingOver)]


def do(house: House, order: wire.Message) -> Result:
    """One act in a sitting; how it ended."""
    before = len(house.got(Room.DESK, wire.Done))
    house.say(Room.DESK, order)
    (done,) = house.got(Room.DESK, wire.Done)[before:]
    return done.result


def asked(house: House, sitting: bytes) -> wire.Message:
    """What vault answers to the question what is held."""
    before = len(house.sent[Room.DESK])
    house.say(Room.DESK, wire.AskHeld(sitting))
    (answer,) = house.sent[Room.DESK][before:]
    return answer


def test_one_sitting_stands_for_every_act_as_often_as_somebody_likes(house: House) -> None:
    house.enrol(11, ANNA)
    sitting = sit(house)
    assert [do(house, wire.Pause(sitting)) for _ in range(2)] == [Result.DONE, Result.NOTHING_TO_DO]
    assert [do(house, wire.Resume(sitting)) for _ in range(2)] == [Result.DONE, Result.NOTHING_TO_DO]
    assert house.recognised(ANNA) == 11
    assert do(house, wire.Erase(sitting)) is Result.DONE
    assert house.recognised(ANNA) is None
    house.say(Room.DESK, wire.Enrol(sitting, CONSENT, under_14=False))
    house.show(BO, house.window())
    house.close_window()
    assert house.recognised(BO) is None, "without the PIN nothing is kept, in a sitting either"
    house.confirm()
    assert house.recognised(BO) == 11
    assert do(house, wire.Renew(sitting, CONSENT)) is Result.NOTHING_TO_DO


def test_a_sitting_renews_a_consent(house: House) -> None:
    house.terms = replace(TERMS, purpose="an older purpose")
    house.restart_under(house.terms)
    house.enrol(11, ANNA)
    house.restart_under(TERMS)
    assert do(house, wire.Renew(sit(house), CONSENT)) is Result.DONE
    assert house.recognised(ANNA) == 11


def test_a_sitting_is_for_its_own_slot_only(house: House) -> None:
    house.enrol(11, ANNA)
    house.enrol(12, BO)
    sitting = sit(house, 12)
    sit(house, 11)
    assert do(house, wire.Erase(sitting)) is Result.DONE
    assert (house.recognised(ANNA), house.recognised(BO)) == (11, None)


class Newest(Sittings):
    """Seeded fault: whoever names anything sits for the slot that sat down last."""

    __slots__ = ()

    def standing(self, nonce: bytes, now_ns: int) -> Sitting | None:
        return next(reversed(self._open.values()), None)


class Endless(Sittings):
    """Seeded fault: a sitting outlives its end, and leaving ends nothing."""

    __slots__ = ()

    def _forget(self, now_ns: int) -> None:
        pass

    def leave(self, nonce: bytes) -> None:
        pass


def erased_by(ended: Callable[[House, bytes], None], sittings: Sittings | None = None) -> bool:
    """Whether ANNA in 11 loses her face by an act in a sitting of 12's, or in one of hers that `ended`."""
    with another_house() as house:
        if sittings is not None:
            house.vault._grants.sittings = sittings
        house.enrol(11, ANNA)
        sitting = sit(house)
        ended(house, sitting)
        house.say(Room.DESK, wire.Erase(sitting))
        return 11 not in house.vault.faces


def left(house: House, sitting: bytes) -> None:
    house.say(Room.DESK, wire.SittingOver(sitting))


def waited(house: House, _sitting: bytes) -> None:
    house.wait(600)


def moved_out(house: House, _sitting: bytes) -> None:
    house.lose_pin(11)


def sat_down_again(house: House, _sitting: bytes) -> None:
    sit(house)


def started_anew(house: House, _sitting: bytes) -> None:
    house.restart()
    house.connect()


ENDS = [left, waited, moved_out, sat_down_again, started_anew]


@pytest.mark.parametrize("ended", ENDS)
def test_what_has_ended_does_nothing_any_more(ended: Callable[[House, bytes], None]) -> None:
    assert not erased_by(ended)
    assert erased_by(lambda _house, _sitting: None), "or this test would show nothing"


@pytest.mark.parametrize("ended", [left, waited])
def test_a_sitting_that_outlives_its_end_would_be_caught(ended: Callable[[House, bytes], None]) -> None:
    assert erased_by(ended, Endless())


def test_a_sitting_that_counts_for_another_slot_would_be_caught() -> None:
    def of_the_neighbour(sittings: Sittings) -> bool:
        with another_house() as house:
            house.vault._grants.sittings = sittings
            house.enrol(11, ANNA)
            theirs = sit(house, 12)
            sit(house, 11)
            house.say(Room.DESK, wire.Erase(theirs))
            return 11 not in house.vault.faces

    assert not of_the_neighbour(Sittings())
    assert of_the_neighbour(Newest())


class Reusing(Grants):
    """Seeded fault: no grant is used up."""

    def take(self, nonce: bytes, purpose: Purpose, now_ns: int) -> Allowed | None:
        granted_for, allowed = self._live.get(nonce, (None, None))
        return allowed if granted_for is purpose else None


def renewed_twice(grants: Grants) -> list[Result]:
    with another_house() as house:
        house.vault._grants = house.vault.acts.grants = grants
        house.enrol(11, ANNA)
        once = house.grant(Purpose.RENEW, 11)
        return [do(house, wire.Renew(once, CONSENT)) for _ in range(2)]


def test_a_grant_for_one_act_stays_good_for_one_beside_a_sitting(house: House) -> None:
    house.enrol(11, ANNA)
    sitting = sit(house)
    once = house.grant(Purpose.RENEW, 11)
    assert [do(house, wire.Renew(once, CONSENT)) for _ in range(2)] == [Result.NOTHING_TO_DO, Result.NO_GRANT]
    assert do(house, wire.Renew(sitting, CONSENT)) is Result.NOTHING_TO_DO
    assert renewed_twice(Grants()) == [Result.NOTHING_TO_DO, Result.NO_GRANT]
    assert renewed_twice(Reusing()) == [Result.NOTHING_TO_DO] * 2, "one that is not used up would be caught"


def test_a_grant_says_until_when_and_vault_says_for_how_long_at_most(house: House) -> None:
    assert erased_by(lambda house, _sitting: house.wait(599))
    house.enrol(11, ANNA)
    sitting = sit(house, seconds=86_400)
    house.wait(LONGEST_NS / SECOND)
    assert do(house, wire.Pause(sitting)) is Result.NO_GRANT
    short = sit(house, seconds=5)
    house.wait(5)
    assert do(house, wire.Pause(short)) is Result.NO_GRANT


def test_no_other_grant_lives_as_long_as_a_sitting(house: House) -> None:
    house.enrol(11, ANNA)
    grant = house.grant(Purpose.PAUSE, 11, seconds=600)
    house.wait(60)
    assert do(house, wire.Pause(grant)) is Result.NO_GRANT


def test_an_enrolment_begun_in_a_sitting_waits_for_the_button_as_long_as_any_and_not_beyond_the_sitting(
    house: House,
) -> None:
    sitting = sit(house)
    house.say(Room.DESK, wire.Enrol(sitting, CONSENT, under_14=False))
    house.wait(59)
    assert house.unanswered(sitting)
    house.wait(1)
    assert house.result(sitting) is Result.TOO_FEW_FRAMES
    house.wait(525)
    house.say(Room.DESK, wire.Enrol(sitting, CONSENT, under_14=False))
    house.wait(15)
    assert house.results(sitting) == [Result.TOO_FEW_FRAMES] * 2


def test_desk_hears_of_every_sitting_that_ended_without_its_word(house: House) -> None:
    first, other = sit(house, 11), sit(house, 12)
    second = sit(house, 11)
    assert over(house) == [first]
    house.lose_pin(12)
    assert over(house) == [first, other]
    left(house, second)
    house.wait(600)
    assert over(house) == [first, other], "what desk ended, or what both know to be over, is not said"


def test_of_too_many_sittings_the_oldest_gives_way_and_no_grant_of_another_kind_does(house: House) -> None:
    acts = [house.grant(Purpose.PAUSE, slot) for slot in range(30, 30 + MAX_LIVE)]
    sittings = [sit(house, slot) for slot in range(11, 12 + MOST)]
    assert over(house) == sittings[:1]
    assert all(isinstance(asked(house, sitting), wire.Held) for sitting in sittings[1:])
    assert [do(house, wire.Pause(grant)) for grant in acts] == [Result.NOTHING_TO_DO] * MAX_LIVE


def test_a_sitting_whose_keeper_was_started_anew_ends_when_somebody_moves_out(house: House) -> None:
    sitting = sit(house)
    house.disconnect(Room.KEEPER)
    house.connect(Room.KEEPER)
    assert isinstance(asked(house, sitting), wire.Held)
    house.disconnect(Room.KEEPER)
    del house.tenancies[11]
    house.connect(Room.KEEPER)
    assert asked(house, sitting) == wire.SittingOver(sitting)


def test_a_sitting_ends_when_another_tenant_moves_in_whether_there_is_a_face_or_not(house: House) -> None:
    sitting = sit(house)
    house.tell(11)
    assert isinstance(asked(house, sitting), wire.Held), "keeper may say the same as often as it likes"
    house.move_in(11, tenant=2)
    house.tell(11)
    assert asked(house, sitting) == wire.SittingOver(sitting)


def test_a_sitting_for_nobody_or_one_that_is_over_already_is_none() -> None:
    grants = Grants()
    assert not grants.add(Grant(nonce(), Purpose.PAGE, 10, wire.NOBODY), 0)
    assert not grants.add(Grant(nonce(), Purpose.PAGE, 10, 11), 10)
    name = nonce()
    assert grants.add(Grant(name, Purpose.PAGE, 10, 11), 0)
    assert not grants.add(Grant(name, Purpose.ERASE, 10, 12), 0), "one name, one grant"
    assert grants.take(name, Purpose.ERASE, 0) == Allowed(11, 10)


def test_lock_hears_nothing_of_a_sitting(house: House) -> None:
    house.enrol(11, ANNA)
    before = list(house.sent[Room.LOCK])
    sitting = sit(house)
    asked(house, sitting)
    left(house, sitting)
    assert house.sent[Room.LOCK] == before


def test_neither_slot_nor_digits_stand_in_a_repr(house: House) -> None:
    sitting = sit(house, 4711)
    assert "4711" not in repr(house.vault._grants)
    assert sitting.hex() not in repr(house.vault._grants)
