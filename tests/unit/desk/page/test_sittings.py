"""Which browser waits with which code, and which one sits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.desk.page.counter import Phase, Sitting
from device.desk.page.sittings import (
    CODE_S,
    LEAST_CODE,
    MOST_CODE,
    MOST_EACH,
    MOST_OPEN,
    MOST_WAITING,
    ROOM,
    SITTING_S,
    SURE_S,
    Sittings,
    Waiting,
    draw_code,
)
from device.wire import GrantTicket, Purpose
from tests.unit.desk.house import nonce

NOW = 1000.0


def ticket(code: str, now_s: float = NOW, ends_in_s: float = SITTING_S, name: bytes | None = None) -> GrantTicket:
    return GrantTicket(name or nonce(), Purpose.PAGE, int((now_s + ends_in_s) * 1e9), int(code))


def waiting(sittings: Sittings, now_s: float = NOW, address: str = "") -> Sitting:
    found = sittings.begin(now_s, address)
    assert found
    return found


def opened(table: Sittings, whose: int = 1) -> list[Phase]:
    """Three browsers wait, and the code of one of them is typed: where each of them stands."""
    browsers = [waiting(table) for _ in range(3)]
    assert table.bind(ticket(browsers[whose].code), NOW) == []
    return [table.phase(browser.id, NOW) for browser in browsers]


class ToTheNewest(Sittings):
    """Seeded fault: a ticket opens the sitting of whoever came last."""

    __slots__ = ()

    def _shows(self, _code: str) -> Waiting | None:
        return self._waiting[-1] if self._waiting else None


class Endless(Sittings):
    """Seeded fault: nothing ends by time."""

    __slots__ = ()

    def forget(self, now_s: float) -> None:
        pass


def test_a_ticket_opens_the_sitting_of_the_browser_that_shows_its_code_and_of_no_other() -> None:
    for whose in range(3):
        wanted = [Phase.OPEN if each == whose else Phase.WAITING for each in range(3)]
        assert opened(Sittings(), whose) == wanted


def test_a_ticket_given_to_the_newest_browser_would_be_caught() -> None:
    assert opened(ToTheNewest()) == [Phase.WAITING, Phase.WAITING, Phase.OPEN]


def test_a_code_nobody_shows_opens_nothing_and_its_grant_is_given_back() -> None:
    table = Sittings()
    browser = waiting(table)
    wrong = ticket(str(int(browser.code) ^ 1))
    assert table.bind(wrong, NOW) == [wrong.nonce]
    assert table.phase(browser.id, NOW) is Phase.WAITING


def test_a_code_is_good_once() -> None:
    table = Sittings()
    browser = waiting(table)
    first, second = ticket(browser.code), ticket(browser.code)
    assert (table.bind(first, NOW), table.bind(second, NOW)) == ([], [second.nonce])
    assert table.bind(first, NOW) == [], "the same ticket again changes nothing, and gives nothing back"
    sitting = table.sits(browser.id, NOW)
    assert sitting
    assert sitting.grant == first.nonce


def ended_by(table: Sittings, seconds: float) -> bool:
    """Whether a code that old still opens a sitting."""
    browser = waiting(table)
    table.bind(ticket(browser.code, NOW + seconds), NOW + seconds)
    return table.phase(browser.id, NOW + seconds) is not Phase.OPEN


def test_a_code_lives_for_three_minutes() -> None:
    assert waiting(Sittings()).ends_s == NOW + CODE_S == NOW + 180
    assert not ended_by(Sittings(), CODE_S - 0.001)
    assert ended_by(Sittings(), CODE_S)
    assert not ended_by(Endless(), CODE_S), "one that lives on would be caught"


@pytest.mark.parametrize("says_s", [5.0, SITTING_S, 86_400.0])
def test_a_sitting_ends_with_its_ticket_and_after_ten_minutes_at_most(says_s: float) -> None:
    lasts_s = min(says_s, 600.0)

    def stands(table: Sittings, after_s: float) -> bool:
        browser = waiting(table)
        table.bind(ticket(browser.code, ends_in_s=says_s), NOW)
        return table.sits(browser.id, NOW + after_s) is not None

    assert stands(Sittings(), lasts_s - 0.001)
    assert not stands(Sittings(), lasts_s)
    assert stands(Endless(), lasts_s), "one that outlives its end would be caught"


def test_a_ticket_that_has_ended_opens_nothing() -> None:
    table = Sittings()
    browser = waiting(table)
    late = ticket(browser.code, ends_in_s=0)
    assert table.bind(late, NOW) == [late.nonce]
    assert table.phase(browser.id, NOW) is Phase.WAITING


def test_who_leaves_or_is_ended_is_as_if_they_had_never_been() -> None:
    table = Sittings()
    one, other, third = (waiting(table) for _ in range(3))
    grants = [ticket(browser.code) for browser in (one, other)]
    for each in grants:
        table.bind(each, NOW)
    assert table.leave(one.id) == grants[0].nonce
    table.over(grants[1].nonce)
    assert table.leave(third.id) is None
    assert table.leave("nobody") is None
    assert {table.phase(browser.id, NOW) for browser in (one, other, third)} == {Phase.ENDED}
    assert table.phase("", NOW) is table.phase("A" * 43, NOW) is Phase.ENDED


def test_eight_of_one_address_may_wait_and_who_comes_then_is_told_so() -> None:
    table = Sittings()
    browsers = [waiting(table) for _ in range(MOST_EACH)]
    assert MOST_EACH == 8
    assert table.begin(NOW) is None
    table.bind(ticket(browsers[3].code), NOW)
    assert table.begin(NOW) is not None, "who sits does not wait"
    assert table.begin(NOW) is None
    assert table.begin(NOW + CODE_S) is not None


class FirstCome(Sittings):
    """Seeded fault: places for whoever takes them first, however many."""

    __slots__ = ()

    def _room_for(self, _address: str, _now_s: float) -> bool:
        return len(self._waiting) < MOST_WAITING


class OldestOut(Sittings):
    """Seeded fault: whoever waits longest makes room, whoever that is."""

    __slots__ = ()

    def _room_for(self, _address: str, _now_s: float) -> bool:
        del self._waiting[: len(self._waiting) - MOST_WAITING + 1]
        return True


def in_spite_of(table: Sittings, enemies: int) -> tuple[bool, bool]:
    """A flood from so many addresses, a telephone amid it: whether it gets a code, and whether that still opens."""
    flood = [f"10.0.0.{number % enemies}" for number in range(200)]
    for address in flood:
        table.begin(NOW, address)
    mine = table.begin(NOW, "192.168.1.7")
    for address in flood:
        table.begin(NOW + 1, address)
    if mine is None:
        return False, False
    table.bind(ticket(mine.code), NOW + 2)
    return True, table.phase(mine.id, NOW + 2) is Phase.OPEN


@pytest.mark.parametrize("enemies", [1, 2, 4, 9, MOST_WAITING // 2])
def test_a_flood_from_a_few_addresses_keeps_nobody_else_away_nor_takes_their_code(enemies: int) -> None:
    assert in_spite_of(Sittings(), enemies) == (True, True)


def test_places_by_first_come_or_taken_from_the_oldest_would_be_caught() -> None:
    assert in_spite_of(FirstCome(), 1) == (False, False)
    assert in_spite_of(OldestOut(), 1) == (True, False)


class NoPlaceAges(Sittings):
    """Seeded fault: where all addresses show alike many codes, each is shown to its end."""

    __slots__ = ()

    def _room_for(self, address: str, _now_s: float) -> bool:
        return super()._room_for(address, float("-inf"))


def waits_in_spite_of(table: Sittings, enemies: int) -> tuple[float | None, float]:
    """Enemies who ask each second for a code of each of so many addresses, and a telephone that asks every third.

    After how many seconds it gets one (None: not within ten minutes), and for how long that code is good then.
    """
    mine, since = None, 0
    for second in range(600):
        for number in range(enemies):
            table.begin(NOW + second, f"10.0.0.{number}")
        if mine is None and second % 3 == 0:
            mine, since = table.begin(NOW + second, "192.168.1.7"), second
        if mine is not None and table.phase(mine.id, NOW + second) is not Phase.WAITING:
            return since, second - since
    return None if mine is None else since, 600 - since


@pytest.mark.parametrize("enemies", [MOST_WAITING, 48, 2 * MOST_WAITING - 1])
def test_an_address_for_every_place_keeps_others_away_for_half_of_a_code_s_time_and_no_longer(enemies: int) -> None:
    waited_s, good_s = waits_in_spite_of(Sittings(), enemies)
    assert waited_s is not None
    assert waited_s <= SURE_S + 3
    assert good_s >= SURE_S


def test_places_that_are_only_held_would_be_caught() -> None:
    assert waits_in_spite_of(NoPlaceAges(), MOST_WAITING)[0] is None


def test_an_address_for_every_place_keeps_others_away_until_somebody_makes_room_at_the_keypad() -> None:
    """What we cannot do, and the way out of it."""
    table = Sittings()
    assert in_spite_of(table, MOST_WAITING) == (False, False)
    (sweep,) = [ticket(ROOM)]
    assert table.bind(sweep, NOW + 3) == [sweep.nonce], "it opens nothing, and ends what is open for that flat"
    mine = waiting(table, NOW + 3, "192.168.1.7")
    for number in range(200):
        table.begin(NOW + 4, f"10.0.0.{number}")
    table.bind(ticket(mine.code, NOW + 5), NOW + 5)
    assert table.phase(mine.id, NOW + 5) is Phase.OPEN


def test_making_room_ends_nobody_who_sits_and_a_wrong_code_ends_nobody_who_waits() -> None:
    table = Sittings()
    sitting, other = waiting(table), waiting(table)
    table.bind(ticket(sitting.code), NOW)
    table.bind(ticket(str(int(other.code) ^ 1)), NOW)
    assert table.phase(other.id, NOW) is Phase.WAITING
    table.bind(ticket(ROOM), NOW)
    assert (table.phase(sitting.id, NOW), table.phase(other.id, NOW)) == (Phase.OPEN, Phase.ENDED)
    table.bind(ticket(other.code), NOW)
    assert table.phase(other.id, NOW) is Phase.ENDED, "a code of before opens nothing"


def test_four_may_sit_and_the_first_gives_way() -> None:
    table = Sittings()
    grants = []
    for _ in range(MOST_OPEN + 1):
        grants.append(ticket(waiting(table).code))
        gone = table.bind(grants[-1], NOW)
    assert MOST_OPEN == 4
    assert gone == [grants[0].nonce]


def test_names_are_long_and_codes_have_six_digits() -> None:
    table = Sittings()
    seen = [waiting(table, address=str(number)) for number in range(MOST_WAITING)]
    assert all(len(each.id) == 43 for each in seen)
    assert len({each.id for each in seen}) == MOST_WAITING
    assert all(len(each.code) == 6 and each.code.isdigit() and each.code[0] != "0" for each in seen)
    assert {len(str(code)) for code in (LEAST_CODE, MOST_CODE)} == {6}
    drawn = [draw_code() for _ in range(2000)]
    assert LEAST_CODE <= min(drawn) < 200_000
    assert 900_000 < max(drawn) <= MOST_CODE


def slips(code: str) -> Iterator[str]:
    """Every code that one wrong key, or two keys swapped, make of `code`."""
    for at, digit in itertools.product(range(6), "0123456789"):
        yield code[:at] + digit + code[at + 1 :]
    for one, other in itertools.combinations(range(6), 2):
        keys = list(code)
        keys[one], keys[other] = keys[other], keys[one]
        yield "".join(keys)


def drawing(codes: list[int]) -> Callable[[], int]:
    left = iter(codes)
    return lambda: next(left)


@given(st.lists(st.integers(LEAST_CODE, LEAST_CODE + 30_000), min_size=60, max_size=60, unique=True))
def test_a_slip_of_the_finger_is_never_the_code_of_another(codes: list[int]) -> None:
    """A row of draws that lie close together, and then any."""
    table = Sittings(drawing([*codes, *(draw_code() for _ in range(400))]))
    shown = [ROOM, *(waiting(table, address=str(number)).code for number in range(MOST_WAITING))]
    for mine in shown:
        assert (set(slips(mine)) - {mine}).isdisjoint(shown)


def test_nothing_that_could_be_used_stands_in_a_repr() -> None:
    table = Sittings()
    browser = waiting(table)
    used = ticket(browser.code)
    shown = repr(browser) + repr(table)
    table.bind(used, NOW)
    shown += repr(table) + repr(table.sits(browser.id, NOW))
    assert not [secret for secret in (browser.id, browser.code, str(used.nonce)) if secret in shown]
