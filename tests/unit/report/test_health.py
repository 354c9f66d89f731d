"""What lock says, folded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.report.health import ALARMS, Health, heard, lock_is
from device.wire import OccurrenceKind as Kind

healths = st.builds(
    Health,
    lock=st.booleans(),
    camera=st.booleans(),
    vault=st.booleans(),
    keeper=st.booleans(),
    alarms=st.frozensets(st.sampled_from(sorted(ALARMS))),
)


@pytest.mark.parametrize(
    ("bad", "good", "flag"),
    [
        (Kind.CAMERA_FAULT, Kind.CAMERA_WELL, "camera"),
        (Kind.VAULT_GONE, Kind.VAULT_BACK, "vault"),
        (Kind.KEEPER_GONE, Kind.KEEPER_BACK, "keeper"),
        (Kind.BOLT_FAULT, Kind.ALARM_CLEARED, "bolt"),
    ],
)
def test_each_fault_shows_until_it_is_over(bad: Kind, good: Kind, flag: str) -> None:
    broken = heard(Health(), bad)
    assert not getattr(broken, flag)
    assert heard(broken, good) == Health()


@given(healths, st.sampled_from(Kind))
def test_hearing_a_thing_twice_changes_nothing_more(health: Health, kind: Kind) -> None:
    once = heard(health, kind)
    assert heard(once, kind) == once


@given(healths)
def test_a_started_lock_begins_anew(health: Health) -> None:
    assert heard(health, Kind.STARTED) == Health(lock=health.lock)


@given(healths, st.sampled_from(sorted(ALARMS)))
def test_an_alarm_stands_until_cleared(health: Health, kind: Kind) -> None:
    assert kind in heard(health, kind).alarms
    assert not heard(heard(health, kind), Kind.ALARM_CLEARED).alarms


@given(healths, st.booleans())
def test_lock_going_away_keeps_its_last_word(health: Health, present: bool) -> None:
    after = lock_is(health, present=present)
    assert after.lock is present
    assert (after.camera, after.vault, after.keeper, after.alarms) == (
        health.camera,
        health.vault,
        health.keeper,
        health.alarms,
    )
