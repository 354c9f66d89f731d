"""The limit of failures, asked about somebody's photograph: on a door that wants the PIN it says nothing."""

from __future__ import annotations

import pytest

from device.lock.state import Rules
from device.vault.budget import APPROACHES_PER_WINDOW, FAILURES_ALLOWED, PROBES_ALLOWED_WITH_PIN
from device.vault.recognition import Recogniser
from device.wire import Outcome
from tests.unit.vault.house import House, another_house
from tests.unit.vault.values import unit

KNOWN, ATTACKER, STRANGER = unit(1), unit(2), unit(3)


def wants_the_pin(house: House) -> None:
    """The same door under the default tier."""
    house.face_alone = False
    house.restart()
    house.connect()


def own_face_after(house: House, photograph: object, probes: int) -> Outcome:
    """What the attacker's own face is worth right after `probes` of a photograph; the others enrolled before."""
    for _ in range(probes):
        house.probe(photograph)  # type: ignore[arg-type] # one of the vectors above
    return house.probe(ATTACKER).outcome


def answers(probes: int, *, with_pin: bool) -> tuple[Outcome, Outcome]:
    """The attacker's own outcome after a known and after an unknown photograph."""
    found = []
    for photograph in (KNOWN, STRANGER):
        with another_house() as house:
            house.enrol(11, KNOWN)
            house.enrol(12, ATTACKER)
            if with_pin:
                wants_the_pin(house)
            house.wait(60)
            found.append(own_face_after(house, photograph, probes))
    return found[0], found[1]


@pytest.mark.parametrize("probes", [1, FAILURES_ALLOWED, PROBES_ALLOWED_WITH_PIN - 1, PROBES_ALLOWED_WITH_PIN, 20])
def test_what_is_left_of_the_limit_does_not_tell_whether_a_photograph_was_known(probes: int) -> None:
    known, unknown = answers(probes, with_pin=True)
    assert known is unknown
    assert known is (Outcome.WITH_PIN if probes < PROBES_ALLOWED_WITH_PIN else Outcome.REFUSED)


def test_a_limit_that_gives_a_match_back_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recogniser, "__post_init__", _free_matches)
    known, unknown = answers(FAILURES_ALLOWED, with_pin=True)
    assert (known, unknown) == (Outcome.WITH_PIN, Outcome.REFUSED)


def _free_matches(self: Recogniser) -> None:
    from device.vault.budget import FailureLimit

    self.face_alone = True
    self._limit = FailureLimit()


def test_where_a_face_alone_opens_a_match_stays_free() -> None:
    assert answers(FAILURES_ALLOWED, with_pin=False) == (Outcome.ACCEPTED, Outcome.REFUSED)


def test_the_limit_is_over_when_its_time_is() -> None:
    with another_house() as house:
        house.enrol(12, ATTACKER)
        wants_the_pin(house)
        assert own_face_after(house, STRANGER, PROBES_ALLOWED_WITH_PIN) is Outcome.REFUSED
        house.wait(21)
        assert house.probe(ATTACKER).outcome is Outcome.WITH_PIN


def test_where_a_face_alone_opens_by_two_matches_somebody_may_come_home_as_often_as_they_press() -> None:
    """Two comparisons an opening, and all of them free: the limit is for those that fail."""
    with another_house() as house:
        house.enrol(12, KNOWN)
        assert {house.probe(KNOWN).outcome for _ in range(2 * 10)} == {Outcome.ACCEPTED}
        assert {house.probe(STRANGER).outcome for _ in range(FAILURES_ALLOWED)} == {Outcome.REFUSED}
        assert house.probe(KNOWN).outcome is Outcome.REFUSED, "six failures in 20 s are the limit, as before"


def test_as_many_approaches_as_lock_gives_a_window_are_within_the_budget() -> None:
    """docs/budget.md, "Two of five": two matches are at most half as likely as matches are expected, however alike."""
    rules = Rules(face_alone_opens=True, lights=True)
    assert rules.twice
    assert rules.approaches_twice / 2 <= APPROACHES_PER_WINDOW
    assert rules.approaches == APPROACHES_PER_WINDOW
