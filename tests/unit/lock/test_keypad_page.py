"""docs/keypad.md against the code: every row of keys is what the page says, none is missing, every rhythm is played."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.keeper import card_talk, choice, throttle
from device.keeper.cards.registered import MOST_CARDS
from device.lock import keypad
from device.wire import CardChange, Proof, Purpose, Secret

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "keypad.md").read_text(encoding="utf-8")
FLAT = " ".join(PAGE.split())
ROWS = re.findall(r"^\| `([^`]*#[^`]*)`[^|]*\|", PAGE, re.MULTILINE)
# What somebody types for the words of the page.
WORDS = {
    "invitation": "939512911369",
    "duress PIN": "739105",
    "new PIN": "640275",
    "PIN": "482913",
    "secret": "3141592653589728",
    "code": "0784340620377",
    "flat": "12",
}
PAGE_CODE = "739105"  # `code` in the row of the page: six digits, not a guest's


def typed(row: str) -> str:
    """The keys of `row`; `again` is what stands before it."""
    fields = [field.strip() for field in row.rstrip("# ").split("#")]
    words = WORDS | ({"code": PAGE_CODE} if fields[0] == THE_PAGE else {})
    keys = [words.get(field, field) for field in fields]
    return "".join(f"{keys[n - 1] if field == 'again' else field}#" for n, field in enumerate(keys))


def read(row: str) -> keypad.Request | keypad.Reading:
    return keypad.read(keypad.Entry(typed(row)))


SECRETS = {
    "00": (Proof.INVITATION, Secret.PIN),
    "05": (Proof.PIN, Secret.PIN),
    "09": (Proof.PIN, Secret.GUESTS),
    "010": (Proof.PIN, Secret.DURESS),
}
END_DOOR = "011"
THE_PAGE = "012"
CARDS = {"07": CardChange.ADD, "08": CardChange.CANCEL_ALL}
ACTS = {
    "01": Purpose.ENROL,
    "02": Purpose.ERASE,
    "03": Purpose.PAUSE,
    "04": Purpose.RESUME,
    "06": Purpose.RENEW,
}


@pytest.mark.parametrize("row", [row for row in ROWS if row[0] == "0"])
def test_a_command_on_the_page_is_that_command_at_the_door(row: str) -> None:
    command = row.split(" ", 1)[0]
    match read(row):
        case keypad.NewSecret(proof, secret, 12):
            assert SECRETS[command] == (proof, secret)
        case keypad.ChangeOfCards(change, 12):
            assert CARDS[command] is change
        case keypad.PersonalAct(purpose, 12):
            assert ACTS[command] is purpose
        case keypad.EndDoor(12):
            assert command == END_DOOR
        case keypad.SitDown(12):
            assert command == THE_PAGE
        case keypad.Reading.MORE:
            assert keypad.arms_page(keypad.Entry(typed(row)))
            assert row == f"{THE_PAGE} #"
        case other:
            pytest.fail(f"{row} is {other}")


def test_every_command_of_the_door_stands_on_the_page() -> None:
    named = {row.split(" ", 1)[0] for row in ROWS if row[0] == "0"}
    assert named == set(SECRETS) | set(CARDS) | set(ACTS) | {END_DOOR, THE_PAGE}
    # Any other that begins with 0 is nothing to the door: a command nobody wrote down would be seen here.
    shapes = ("12#", "12#482913#", f"12#482913#{PAGE_CODE}#", "12#482913#640275#640275#")
    commands = [str(n).zfill(digits) for digits in (1, 2, 3) for n in range(100)]
    known = {
        command
        for command in commands
        if command[0] == "0"
        and any(not isinstance(keypad.read(keypad.Entry(f"{command}#{shape}")), keypad.Reading) for shape in shapes)
    }
    assert known == named


def test_coming_home_is_flat_and_pin_or_code() -> None:
    assert [type(read(row)) for row in ROWS if row in ("flat # PIN #", "flat # code #")] == [keypad.OpenDoor] * 2
    assert keypad.claimed(keypad.Entry(typed("flat #"))) == 12


def test_a_command_that_is_changed_is_another_one() -> None:
    """What the first test is worth: with any other command in front, the same fields are something else."""
    assert read("07 # flat # PIN #") != read("08 # flat # PIN #")
    assert read("013 # flat # PIN # duress PIN # again #") is keypad.Reading.NONSENSE


def test_the_rhythms_are_those_of_the_wiring_page() -> None:
    """That page is compared with what is played (test_wiring_page)."""
    wiring = (DOCS / "wiring.md").read_text(encoding="utf-8")
    played = set(re.findall(r"^\| ([^|]+) \| [A-Z_]+ \|", wiring, re.MULTILINE))
    told = set(re.findall(r"^\| (click|`[.-]+`|one very long beat) \|", PAGE, re.MULTILINE))
    assert {"click", "one very long beat", "`...`", "`.--`"} <= told <= played


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    budget = throttle.BUDGET
    assert f"after {keypad.KEY_TIMEOUT_NS / 1e9:.0f} seconds without a key" in FLAT
    assert f"A PIN has {choice.SHORTEST} to {choice.LONGEST} digits" in FLAT
    assert (MOST_CARDS, card_talk.ADD_S) == (2, 60.0)
    assert "Two cards a flat" in FLAT
    assert "within a minute your card" in FLAT
    waits = [budget.wait_s(count) for count in range(budget.free_tries + 3)]
    assert waits == [0.0, 0.0, 0.0, 30.0, 60.0, 120.0]
    assert budget.longest_wait_s == 3600.0
