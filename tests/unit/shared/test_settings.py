"""Settings: every field at both ends of its bounds, one step beyond, and as every other type."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from device.config.tables import Config
from device.errors import ConfigRefused
from device.settings import Between, Matching, OneOf, read_table

TABLES: dict[str, type] = get_type_hints(Config)
REQUIRED: dict[str, dict[str, object]] = {"door": {"id": "00112233445566aa"}}
WRONG = {int: [1.0, "1", True, [], {}], float: ["1", True, []], str: [1, True, [], {}], bool: [0, 1, "yes", []]}


def fields() -> Iterator[tuple[str, str, Any, tuple[Any, ...], object]]:
    """Table, key, type, rules and default of every setting."""
    for table, cls in TABLES.items():
        hints = get_type_hints(cls, include_extras=True)
        for field in dataclasses.fields(cls):
            hint = hints[field.name]
            base, *rules = get_args(hint) if get_origin(hint) is Annotated else (hint,)
            yield table, field.name, base, tuple(rules), field.default


def keys(rows: list[tuple[Any, ...]]) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in rows]


def ids(rows: list[tuple[Any, ...]]) -> list[str]:
    return [f"{row[0]}.{row[1]}" for row in rows]


ALL = list(fields())
BOUNDED = [(t, k, base, rule) for t, k, base, rules, _ in ALL for rule in rules if isinstance(rule, Between)]
WORDS = [(t, k, rule) for t, k, _, rules, _ in ALL for rule in rules if isinstance(rule, OneOf)]
TEXTS = [(t, k, rule) for t, k, _, rules, _ in ALL for rule in rules if isinstance(rule, Matching)]


def read(table: str, **values: object) -> object:
    return read_table(TABLES[table], {**REQUIRED.get(table, {}), **values}, table)


def refused(table: str, key: str, value: object) -> str:
    with pytest.raises(ConfigRefused) as refusal:
        read(table, **{key: value})
    sentence = str(refusal.value)
    assert f"[{table}] {key} must be " in sentence
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(("table", "key", "base", "rule"), BOUNDED, ids=ids(BOUNDED))
def test_a_number_may_reach_its_bounds_and_not_pass_them(table: str, key: str, base: type, rule: Between) -> None:
    for bound in (rule.low, rule.high):
        assert getattr(read(table, **{key: base(bound)}), key) == bound
    step = 1.0 if base is int else 0.0
    for value in (rule.low - 1, rule.high + 1, -1e9, 1e9):
        assert f"from {rule.low} to {rule.high}" in refused(table, key, base(value))
    if base is float:
        for value in (math.nextafter(rule.low, -math.inf), math.nextafter(rule.high, math.inf)):
            refused(table, key, value + step)


FLOATS = [row for row in BOUNDED if row[2] is float]


@pytest.mark.parametrize(("table", "key"), keys(FLOATS), ids=ids(FLOATS))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_and_no_end_of_numbers_are_refused(table: str, key: str, value: float) -> None:
    refused(table, key, value)


@pytest.mark.parametrize(("table", "key"), keys(BOUNDED), ids=ids(BOUNDED))
def test_a_number_too_long_to_print_is_refused_in_one_sentence(table: str, key: str) -> None:
    for value in (10**400, -(10**400), 1 << 20000):
        assert len(refused(table, key, value)) < 200


def test_a_whole_number_is_taken_where_a_number_is_wanted() -> None:
    for table, key, _, rule in FLOATS:
        value = getattr(read(table, **{key: math.ceil(rule.low)}), key)
        assert type(value) is float


def test_another_type_is_refused_above_all_true_for_a_number() -> None:
    for table, key, base, _, _ in ALL:
        for value in WRONG[base]:
            refused(table, key, value)


@pytest.mark.parametrize(("table", "key", "rule"), WORDS, ids=ids(WORDS))
def test_only_the_listed_words_are_taken(table: str, key: str, rule: OneOf) -> None:
    for word in rule.words:
        assert getattr(read(table, **{key: word}), key) == word
        refused(table, key, word.upper())
        refused(table, key, word + " ")
    refused(table, key, "")


@pytest.mark.parametrize(("table", "key", "rule"), TEXTS, ids=ids(TEXTS))
def test_a_text_is_matched_whole(table: str, key: str, rule: Matching) -> None:
    assert rule.meaning in refused(table, key, "\0")
    assert rule.meaning in refused(table, key, "GPIO17\0GPIO18")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bolt_pin", "GPIO28"),
        ("bolt_pin", "GPIO017"),
        ("bolt_pin", "gpio17"),
        ("bolt_pin", "17"),
        ("bolt_pin", "GPIO17\n"),
        ("bolt_pin", "GPIO\u0661\u0667"),  # digits elsewhere
    ],
)
def test_a_pin_has_one_spelling(key: str, value: str) -> None:
    refused("lock", key, value)


@pytest.mark.parametrize(("table", "key", "base", "rules", "default"), ALL, ids=ids(ALL))
def test_every_default_keeps_its_own_bounds(table: str, key: str, base: type, rules: Any, default: object) -> None:
    if default is dataclasses.MISSING:
        assert key in REQUIRED[table], "what has no default is asked for by name"
        return
    assert type(default) is base
    for rule in rules:
        assert rule.check(default) is None


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_key_is_refused_by_name_and_the_known_ones_are_listed(table: str) -> None:
    with pytest.raises(ConfigRefused, match=rf"\[{table}\] colour is not a setting") as refusal:
        read(table, colour="red")
    assert all(field.name in str(refusal.value) for field in dataclasses.fields(TABLES[table]))


def test_a_quoted_key_cannot_write_a_line_of_its_own() -> None:
    with pytest.raises(ConfigRefused) as refusal:
        read_table(TABLES["lock"], {"a\nlock: all is well": 1}, "lock")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("value", [1, "x", True, [], [{}]])
def test_what_is_no_table_is_refused(table: str, value: object) -> None:
    with pytest.raises(ConfigRefused, match="must be a table"):
        read_table(TABLES[table], value, table)


def test_true_is_no_number_even_where_no_bound_would_say_so() -> None:
    @dataclasses.dataclass(frozen=True)
    class Unbounded:
        count: int = 0
        share: float = 0.0

    for key in ("count", "share"):
        with pytest.raises(ConfigRefused, match=rf"\[x\] {key} must be a"):
            read_table(Unbounded, {key: True}, "x")
    assert read_table(Unbounded, {"count": 10**30, "share": 3}, "x") == Unbounded(10**30, 3.0)
    with pytest.raises(ConfigRefused, match="share"):
        read_table(Unbounded, {"share": 10**400}, "x")


def test_a_required_key_is_asked_for() -> None:
    with pytest.raises(ConfigRefused, match=r"\[door\] id is missing"):
        read_table(TABLES["door"], {}, "door")
