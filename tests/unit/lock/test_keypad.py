"""The keypad's grammar: what a row of keys means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.lock.keypad import (
    KEY_TIMEOUT_NS,
    KEYS,
    ChangeOfCards,
    Entry,
    NewSecret,
    OpenDoor,
    PersonalAct,
    Reading,
    SitDown,
    arms_page,
    claimed,
    press,
    read,
)
from device.wire import MAX_DIGITS, CardChange, Proof, Purpose, Secret


def typed(keys: str) -> object:
    entry = None
    for at, key in enumerate(keys):
        entry = press(entry, key, at)
    return read(entry) if entry else None


def test_flat_and_pin_ask_to_open() -> None:
    assert typed("12#482913#") == OpenDoor(12, "482913")


def test_each_personal_act_has_its_own_prefix() -> None:
    acts = {
        "01#": Purpose.ENROL,
        "02#": Purpose.ERASE,
        "03#": Purpose.PAUSE,
        "04#": Purpose.RESUME,
        "06#": Purpose.RENEW,
    }
    assert set(acts.values()) == set(Purpose) - {Purpose.PAGE}
    for prefix, purpose in acts.items():
        assert typed(f"{prefix}12#482913#") == PersonalAct(purpose, 12, "482913")
    assert typed("07#12#482913#") == ChangeOfCards(CardChange.ADD, 12, "482913")
    assert typed("08#12#482913#") == ChangeOfCards(CardChange.CANCEL_ALL, 12, "482913")


def test_moving_in_and_changing_a_pin_need_the_new_one_twice() -> None:
    moved = NewSecret(Proof.INVITATION, Secret.PIN, 12, "123456789012", "482913")
    assert typed("00#12#123456789012#482913#482913#") == moved
    assert typed("05#12#482913#605817#605817#") == NewSecret(Proof.PIN, Secret.PIN, 12, "482913", "605817")
    assert typed("05#12#482913#605817#605818#") is Reading.NONSENSE


def test_a_duress_pin_is_typed_twice_and_shown_the_pin() -> None:
    assert typed("010#12#482913#771155#771155#") == NewSecret(Proof.PIN, Secret.DURESS, 12, "482913", "771155")
    assert typed("010#12#482913#771155#") is Reading.MORE
    assert typed("010#12#482913#771155#771156#") is Reading.NONSENSE


def test_the_guests_secret_is_typed_once_for_it_has_check_digits() -> None:
    whole = "1234567890123452"
    assert typed(f"09#12#482913#{whole}#") == NewSecret(Proof.PIN, Secret.GUESTS, 12, "482913", whole)
    assert typed(f"09#12#482913#{whole}") is Reading.MORE
    assert typed(f"09#12#482913#{whole}7#") is Reading.NONSENSE, "longer than what is ever a secret"


def test_a_nought_forgets_a_duress_pin_and_the_guests_secret() -> None:
    assert typed("09#12#482913#0#") == NewSecret(Proof.PIN, Secret.GUESTS, 12, "482913", "0")
    assert typed("010#12#482913#0#0#") == NewSecret(Proof.PIN, Secret.DURESS, 12, "482913", "0")
    assert typed("010#12#482913#0#1#") is Reading.NONSENSE


def test_a_guests_code_stands_in_the_place_of_the_pin() -> None:
    assert typed("12#1234567890123#") == OpenDoor(12, "1234567890123")
    assert typed("12#12345678901234#") == OpenDoor(12, "12345678901234")


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("", 2),
        *((f"0{n}#", 2) for n in (1, 2, 3, 4, 6, 7, 8)),
        ("00#", 4),
        ("05#", 4),
        ("09#", 3),
        ("010#", 4),
        ("012#", 3),
    ],
)
def test_every_command_has_its_number_of_fields_and_is_complete_with_the_last_and_not_before(
    command: str, fields: int
) -> None:
    row = command + "".join(f"{part}#" for part in ("12", "482913", "771155", "771155")[:fields])
    for end in range(1, len(row)):
        assert typed(row[:end]) is Reading.MORE, row[:end]
    assert not isinstance(typed(row), Reading)


def test_no_command_is_taken_for_another_that_begins_alike() -> None:
    known = {"00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "010", "011", "012"}
    for number in range(1000):
        for word in {f"0{number}", f"00{number}"} - known:
            assert typed(f"{word}#12#") is Reading.NONSENSE, word
    assert typed("10#482913#") == OpenDoor(10, "482913")


def test_the_page_is_armed_by_its_command_alone_and_opened_with_flat_pin_and_code() -> None:
    armed = Entry("012#")
    assert arms_page(armed)
    assert read(armed) is Reading.MORE
    assert not any(arms_page(Entry(keys)) for keys in ("012", "12#", "011#", "012#1", "012#12#482913#739105#"))
    assert typed("012#12#482913#739105#") == SitDown(12, "482913", 739105)


@pytest.mark.parametrize("code", ["73910", "7391050", "039105", "0", "1234567890123456"])
def test_a_code_of_the_page_has_six_digits_and_no_nought_in_front(code: str) -> None:
    assert typed(f"012#12#482913#{code}#") is Reading.NONSENSE


@pytest.mark.parametrize("command", ["012#", "02#", "00#"])
def test_a_command_after_the_armed_page_begins_anew(command: str) -> None:
    entry = None
    for at, key in enumerate("012#" + command):
        entry = press(entry, key, at)
    assert entry is not None
    assert entry.keys == command
    assert typed("012#02#12#482913#") == PersonalAct(Purpose.ERASE, 12, "482913")
    assert typed("012#012#12#482913#739105#") == SitDown(12, "482913", 739105)


def test_star_begins_anew_after_a_slip() -> None:
    assert typed("129#4*01#12#482913#") == PersonalAct(Purpose.ENROL, 12, "482913")


def test_a_pause_forgets_half_an_entry() -> None:
    entry = press(press(None, "1", 0), "2", KEY_TIMEOUT_NS + 1)
    assert entry is not None
    assert entry.keys == "2"


def test_star_leaves_nothing_behind_for_the_next_person() -> None:
    assert typed("*") is None
    assert typed("01#12*") is None
    assert typed("*12#482913#") == OpenDoor(12, "482913")


def test_flat_nought_and_empty_fields_are_nonsense() -> None:
    for keys in ("0#1234#", "#1234#", "12##", "013#12#1#", "012##", "012#123456#", "123456#1#"):
        assert typed(keys) is Reading.NONSENSE


@pytest.mark.parametrize(
    "keys",
    [
        "4711#482913#",
        *(f"{command}#4711#482913#" for command in ("02", "07", "011")),
        "05#4711#482913#731905#731905#",
        "012#4711#482913#731905#",
    ],
)
def test_no_request_shows_a_flat_or_a_digit_in_a_repr(keys: str) -> None:
    found = typed(keys)
    assert not isinstance(found, Reading)
    assert not any(secret in repr(found) for secret in ("4711", "482913", "731905"))


def test_digits_never_show_in_a_repr() -> None:
    assert "482913" not in repr(press(None, "4", 0)) + repr(OpenDoor(12, "482913")) + repr(Entry("482913"))
    assert "482913" not in repr(NewSecret(Proof.PIN, Secret.GUESTS, 12, "482913", "482913"))


@given(st.text("0123456789*#", max_size=80))
def test_any_keys_give_more_nonsense_or_a_bounded_request(keys: str) -> None:
    entry = None
    for key in keys:
        entry = press(entry, key, 0)
        if entry is None:
            continue
        reading = read(entry)
        if isinstance(reading, Reading):
            if reading is Reading.NONSENSE:
                entry = None
            continue
        entry = None
        assert reading.claim > 0
        texts = [reading.shown, reading.new] if isinstance(reading, NewSecret) else [reading.digits]
        assert all(text.isdigit() and len(text) <= MAX_DIGITS for text in texts)


def test_a_press_refers_to_a_finished_flat_and_to_nothing_else() -> None:
    assert claimed(Entry("12#")) == 12
    assert claimed(Entry("99999#")) == 99999
    others = (
        "",
        "#",
        "12",
        "0#",
        "01#",
        "07#",
        "09#",
        "010#",
        "012#",
        "013#",
        "123456#",
        "12#4",
        "12##",
        "12#482913#",
        "01#12#",
    )
    assert claimed(None) is None
    for keys in others:
        assert claimed(Entry(keys)) is None, keys


@given(st.text(KEYS, max_size=12))
def test_what_a_press_refers_to_is_what_a_pin_would_be_checked_against(keys: str) -> None:
    entry = None
    for key in keys:
        entry = press(entry, key, 0)
    flat = claimed(entry)
    if flat is not None:
        assert entry is not None
        assert read(Entry(entry.keys + "482913#")) == OpenDoor(flat, "482913")
