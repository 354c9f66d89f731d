"""A draft holds only what a door starts with, and what is written down is read again as the same."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import config
from device.config.tables import Config, LockTable, VaultTable
from device.desk.setup.draft import NEW, Draft, differences, render
from device.errors import ConfigRefused
from device.settings import Between, Matching, OneOf, OneOfNumbers

CONTRADICTIONS = (
    *("for two things", "other lines need board", "keypad_id pins", 'tier "face"', "must be below", "replay must name"),
    *("device must name", "pinned pins a camera", "lines of the two lights"),
    *("[page] needs a port", "is no IP address"),
)


def _values(hint: Any) -> st.SearchStrategy[object]:
    base, *rules = get_args(hint) or (hint,)
    if base is bool:
        return st.booleans()
    match rules:
        case [OneOf(words)]:
            return st.sampled_from(words)
        case [OneOfNumbers(numbers)]:
            return st.sampled_from(numbers)
        case [Between(low, high)]:
            return st.integers(int(low), int(high)) if base is int else st.floats(low, high)
        case [Matching(pattern, _)]:
            return st.from_regex(pattern, fullmatch=True)
    raise AssertionError(hint)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Any configuration in which one to four settings differ from their defaults, contradictions and all."""
    draft = Draft()
    for _ in range(draw(st.integers(1, 4))):
        table = draw(st.sampled_from([f.name for f in dataclasses.fields(Config) if f.name != "door"]))
        hints = get_type_hints(type(getattr(NEW, table)), include_extras=True)
        key = draw(st.sampled_from(sorted(hints)))
        draft = draft.put(table, **{key: draw(_values(hints[key]))})
    return draft.config


@pytest.mark.slow
@given(configs())
def test_what_is_written_is_read_again_as_the_same(chosen: Config) -> None:
    told = ""
    try:
        again = config.parse(render(chosen), without_id=True)
    except ConfigRefused as refusal:
        told, again = str(refusal), chosen
    assert again == chosen
    assert not told or any(words in told for words in CONTRADICTIONS), told


def test_a_door_that_has_its_id_in_door_toml_keeps_it() -> None:
    text = '[door]\nid = "00112233445566ff"\n'
    assert config.parse(render(config.parse(text))).door.id == "00112233445566ff"


@pytest.mark.parametrize(
    ("table", "values", "why"),
    [
        ("lock", {"unlock_ms": 20000}, "unlock_ms must be from 500 to 15000, not 20000"),
        ("lock", {"bolt_pin": "17"}, "bolt_pin must be a pin"),
        ("vault", {"strangers_per_day": 1.0}, "strangers_per_day must be from 5"),
        ("lock", {"colour": "red"}, "colour is not a setting"),
        ("door", {"id": "0" * 16}, "not a table that set-up asks about"),
        ("doors", {}, "not a table that set-up asks about"),
        ("sign", {"contact": "two\nlines"}, "one line"),
    ],
)
def test_a_value_out_of_its_bounds_is_refused_when_it_is_given(table: str, values: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigRefused, match=why):
        Draft().put(table, **values)


def test_the_differences_name_each_setting_that_changes_and_no_other() -> None:
    new = dataclasses.replace(
        NEW, lock=LockTable(unlock_ms=5000, bolt_active_high=False), vault=VaultTable(strangers_per_day=9)
    )
    assert differences(NEW, new) == (
        "[vault] strangers_per_day was 5.0 and becomes 9.",
        "[lock] bolt_active_high was true and becomes false.",
        "[lock] unlock_ms was 4000 and becomes 5000.",
    )
    assert differences(new, new) == ()


def test_a_face_alone_is_refused_on_a_real_board() -> None:
    with pytest.raises(ConfigRefused, match="photograph"):
        Draft().put("lock", tier="face").checked()
