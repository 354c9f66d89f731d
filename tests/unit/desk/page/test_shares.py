"""Who makes room for whom, and what an address is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.desk.page.shares import address_of, gives_way, place_for


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("fe80::1%wlan0", "fe80::1"),
        ("FE80:0:0:0:0:0:0:1", "fe80::1"),
        ("", ""),
        ("testclient", ""),
    ],
)
def test_an_address_has_one_way_of_writing(said: str, address: str) -> None:
    assert address_of(said) == address


@pytest.mark.parametrize(
    ("held", "newcomer", "who"),
    [
        ({}, "a", None),
        ({"a": 8}, "b", "a"),
        ({"a": 2}, "b", "a"),
        ({"a": 1, "c": 1}, "b", None),
        ({"a": 2, "b": 1}, "b", None),
        ({"a": 3, "b": 1}, "b", "a"),
        ({"a": 8}, "a", None),
    ],
)
def test_who_holds_most_gives_way_until_all_hold_alike(held: dict[str, int], newcomer: str, who: str | None) -> None:
    assert gives_way(held, newcomer) == who


@given(st.lists(st.sampled_from("abcdefgh"), max_size=80), st.integers(1, 20))
def test_whoever_holds_one_place_never_loses_it_and_who_is_refused_holds_as_much_as_others(
    calls: list[str], places: int
) -> None:
    held: Counter[str] = Counter()
    for address in calls:
        if held.total() >= places:
            giving = gives_way(held, address)
            if giving is None:
                assert held[address] + 1 >= max(held.values()), "who is refused has its share"
                continue
            assert held[giving] > 1
            held[giving] -= 1
        held[address] += 1
        assert held.total() <= places


@pytest.mark.parametrize(
    ("places", "newcomer", "number"),
    [
        ([], "a", None),
        ([("a", 99.0), ("b", 5.0), ("b", 1.0)], "c", 1),
        ([("a", 10.0), ("b", 9.0)], "c", 0),
        ([("a", 9.9), ("b", 9.0)], "c", None),
        ([("a", 99.0), ("b", 98.0)], "b", None),
    ],
)
def test_a_place_that_was_held_long_enough_goes_to_who_holds_none(
    places: list[tuple[str, float]], newcomer: str, number: int | None
) -> None:
    assert place_for(newcomer, places, 10.0) == number
