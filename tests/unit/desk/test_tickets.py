"""Tickets: one act each, of their purpose, in their time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.desk.tickets import LONGEST_LIFE_NS, MOST_TICKETS, Tickets
from device.wire import GrantTicket, Purpose

NOW = 5_000_000_000_000
LATER = NOW + LONGEST_LIFE_NS


def ticket(number: int, purpose: Purpose = Purpose.ERASE, ends_ns: int = LATER) -> GrantTicket:
    return GrantTicket(number.to_bytes(16, "little"), purpose, ends_ns)


def test_a_ticket_is_good_for_one_act() -> None:
    tickets = Tickets()
    tickets.add(ticket(1), NOW)
    assert tickets.take(Purpose.ERASE, NOW) == ticket(1).nonce
    assert tickets.take(Purpose.ERASE, NOW) is None


def test_a_ticket_sent_again_after_its_use_stays_used() -> None:
    tickets = Tickets()
    tickets.add(ticket(1), NOW)
    tickets.take(Purpose.ERASE, NOW)
    tickets.add(ticket(1), NOW + 1)
    assert tickets.take(Purpose.ERASE, NOW + 1) is None


def test_a_ticket_sent_twice_before_its_use_is_one_ticket() -> None:
    tickets = Tickets()
    tickets.add(ticket(1), NOW)
    tickets.add(ticket(1), NOW)
    tickets.take(Purpose.ERASE, NOW)
    assert tickets.take(Purpose.ERASE, NOW) is None


def test_a_ticket_is_good_for_its_own_purpose_only() -> None:
    tickets = Tickets()
    tickets.add(ticket(1, Purpose.PAUSE), NOW)
    assert [tickets.take(purpose, NOW) for purpose in (Purpose.ENROL, Purpose.ERASE, Purpose.RESUME)] == [None] * 3
    assert tickets.take(Purpose.PAUSE, NOW) == ticket(1).nonce


def test_a_ticket_is_void_from_its_end_on() -> None:
    tickets = Tickets()
    tickets.add(ticket(1, ends_ns=NOW + 10), NOW)
    assert tickets.take(Purpose.ERASE, NOW + 10) is None
    tickets.add(ticket(2, ends_ns=NOW), NOW)
    assert tickets.take(Purpose.ERASE, NOW) is None


def test_no_ticket_lives_longer_than_a_minute_whatever_it_says() -> None:
    tickets = Tickets()
    tickets.add(ticket(1, ends_ns=2**62), NOW)
    assert tickets.take(Purpose.ERASE, NOW + LONGEST_LIFE_NS) is None


def test_the_newest_ticket_of_a_purpose_is_used_first() -> None:
    tickets = Tickets()
    for number in (1, 2, 3):
        tickets.add(ticket(number), NOW)
    assert [tickets.take(Purpose.ERASE, NOW) for _ in range(4)] == [
        ticket(3).nonce,
        ticket(2).nonce,
        ticket(1).nonce,
        None,
    ]


def test_the_oldest_make_room_when_there_are_too_many() -> None:
    tickets = Tickets()
    for number in range(1, MOST_TICKETS + 2):
        tickets.add(ticket(number), NOW)
    taken = {tickets.take(Purpose.ERASE, NOW) for _ in range(MOST_TICKETS)}
    assert ticket(1).nonce not in taken
    assert tickets.take(Purpose.ERASE, NOW) is None


moves = st.lists(
    st.tuples(st.booleans(), st.integers(0, 5), st.sampled_from(Purpose), st.integers(-5, 90), st.integers(0, 30)),
    max_size=60,
)


@given(moves)
def test_whatever_happens_a_nonce_is_given_out_once_in_time_and_for_its_purpose(
    plays: list[tuple[bool, int, Purpose, int, int]],
) -> None:
    tickets, now = Tickets(), NOW
    purposes: dict[bytes, set[Purpose]] = {}
    ends: dict[bytes, int] = {}
    given_at: dict[bytes, int] = {}
    for adds, number, purpose, life_s, step_s in plays:
        now += step_s * 1_000_000_000
        if adds:
            new = ticket(number, purpose, now + life_s * 1_000_000_000)
            tickets.add(new, now)
            purposes.setdefault(new.nonce, set()).add(purpose)
            ends[new.nonce] = max(ends.get(new.nonce, 0), min(new.expires_ns, now + LONGEST_LIFE_NS))
        elif (taken := tickets.take(purpose, now)) is not None:
            assert purpose in purposes[taken]
            assert now < ends[taken]
            assert taken not in given_at or now >= given_at[taken] + LONGEST_LIFE_NS
            given_at[taken] = now
