"""What was acknowledged holds: whoever loses it, or opens by what is gone, is found."""

from pathlib import Path

import pytest

from tools.soak.ledger import Credential, Kind, Ledger, Standing

PIN = Credential(Kind.PIN, 12, "482913")
CARD = Credential(Kind.CARD, 12, str(Path("card")))


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.given(PIN)
    made.given(CARD)
    return made


def found(ledger: Ledger) -> list[str]:
    return [each.what for each in ledger.found]


def test_what_holds_opens_and_what_is_gone_does_not(ledger: Ledger) -> None:
    ledger.approached(PIN, opened=True)
    ledger.taken(CARD)
    ledger.approached(CARD, opened=False)
    ledger.approached(None, opened=False)
    assert found(ledger) == []
    assert (ledger.approaches, ledger.openings, ledger.checked, ledger.acts) == (3, 1, 3, 3)


def test_fault_an_acknowledged_act_that_is_lost_is_found(ledger: Ledger) -> None:
    ledger.approached(PIN, opened=False)
    assert found(ledger) == ["LOST: a PIN that was acknowledged does not open"]


def test_fault_a_cancelled_card_that_opens_is_found(ledger: Ledger) -> None:
    ledger.taken(CARD)
    ledger.approached(CARD, opened=True)
    assert found(ledger) == ["OPENED by what must not open: card"]


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_nobody_was_given_never_opens(ledger: Ledger, interrupted: bool) -> None:
    ledger.approached(None, opened=True, interrupted=interrupted)
    assert found(ledger) == ["OPENED by what must not open: nothing that was given"]


def test_who_was_interrupted_may_stand_outside_but_what_is_gone_stays_gone(ledger: Ledger) -> None:
    ledger.approached(PIN, opened=False, interrupted=True)
    assert found(ledger) == []
    ledger.taken(PIN)
    ledger.approached(PIN, opened=True, interrupted=True)
    assert len(ledger.found) == 1


@pytest.mark.parametrize("opened", [False, True])
def test_in_doubt_both_are_right_until_it_is_acknowledged(ledger: Ledger, opened: bool) -> None:
    ledger.begins(CARD)
    ledger.approached(CARD, opened=opened)
    assert (found(ledger), ledger.doubted) == ([], 1)
    ledger.taken(CARD)
    ledger.approached(CARD, opened=True)
    assert len(ledger.found) == 1


def test_a_code_that_opened_is_gone(ledger: Ledger) -> None:
    code = Credential(Kind.CODE, 12, "1234567890123")
    ledger.standing[code] = Standing.HOLDS
    ledger.approached(code, opened=True)
    ledger.used(code)
    ledger.approached(code, opened=True)
    assert found(ledger) == ["OPENED by what must not open: guest's code"]


@pytest.mark.parametrize(("releases", "opened", "right"), [(1, True, True), (0, False, True), (2, True, False)])
def test_every_release_is_accounted_for(ledger: Ledger, releases: int, opened: bool, right: bool) -> None:
    ledger.counted(5 + releases, 5, opened=opened)
    assert (found(ledger) == []) is right


def test_what_was_acknowledged_lately_is_told_once_the_newest_first(ledger: Ledger) -> None:
    assert list(ledger.since()) == [CARD, PIN]
    assert list(ledger.since()) == []


def test_no_secret_is_shown() -> None:
    assert "482913" not in repr(PIN)
    assert "12" not in repr(PIN)
