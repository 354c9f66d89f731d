"""The account notices what is lost, what came twice or late, and what nobody said."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.report import envelope
from device.report.envelope import Envelope
from device.report.health import Health
from tools.fleet_sim.account import Account, Name, named

DOOR, RUN = "00112233445566ff", "0a0b0c0d"
ALL = [Name(DOOR, RUN, number) for number in range(1, 6)]


def account(*heard: int) -> Account:
    """Five messages handed out at second 10, and these heard a second later."""
    made = Account()
    made.hand([(name, 10.0) for name in ALL])
    for number in heard:
        made.hear(ALL[number], 11.0)
    return made


def test_everything_that_arrived_is_well() -> None:
    judged = account(0, 1, 2, 3, 4).judged(late_s=5.0)
    assert judged.faults == ()
    assert (judged.handed, judged.heard, judged.twice, judged.slowest_s) == (5, 5, 0, 1.0)


def test_a_lost_message_is_named() -> None:
    judged = account(0, 1, 3, 4).judged(late_s=5.0)
    assert judged.lost == (ALL[2],)
    assert judged.faults == ("1 messages were handed out and never heard",)


def test_a_duplicate_is_counted_and_hides_no_loss() -> None:
    judged = account(0, 0, 1, 3, 4).judged(late_s=5.0)
    assert (judged.twice, judged.heard, judged.lost) == (1, 4, (ALL[2],))
    assert account(0, 0, 1, 2, 3, 4).judged(late_s=5.0).faults == ()


def test_a_late_message_is_named_and_not_lost() -> None:
    late = account(0, 1, 2, 3)
    late.hear(ALL[4], 15.1)
    judged = late.judged(late_s=5.0)
    assert (judged.late, judged.lost) == ((ALL[4],), ())
    assert judged.slowest_s == pytest.approx(5.1)
    assert judged.faults == ("1 messages came later than is allowed",)
    assert late.judged(late_s=6.0).faults == ()


def test_the_second_arrival_of_a_message_does_not_make_it_late() -> None:
    again = account(0, 1, 2, 3, 4)
    again.hear(ALL[0], 99.0)
    assert again.judged(late_s=5.0).faults == ()


def test_a_message_that_nobody_handed_out_is_named() -> None:
    strange = account(0, 1, 2, 3, 4)
    strange.hear(Name(DOOR, RUN, 6), 11.0)
    judged = strange.judged(late_s=5.0)
    assert judged.strange == (Name(DOOR, RUN, 6),)
    assert judged.faults == ("1 messages were heard that nobody handed out",)


def test_what_an_outbox_dropped_is_a_fault() -> None:
    assert account(0, 1, 2, 3, 4).judged(5.0, dropped=2).faults == (
        "2 messages were dropped by an outbox that was full",
    )


def test_another_run_of_the_same_door_is_another_message() -> None:
    judged = account(0, 1, 2, 3)
    judged.hear(Name(DOOR, "ffffffff", 5), 11.0)
    assert (len(judged.judged(5.0).lost), len(judged.judged(5.0).strange)) == (1, 1)


def test_a_door_that_counts_wrongly_is_noticed() -> None:
    twice = account()
    with pytest.raises(ValueError, match="handed out twice"):
        twice.hand([(ALL[0], 12.0)])


@given(st.sets(st.integers(0, 4)), st.integers(0, 4))
def test_lost_is_exactly_what_is_missing(heard: set[int], again: int) -> None:
    made = account(*heard)
    made.hear(ALL[again], 11.0)
    judged = made.judged(5.0)
    assert set(judged.lost) == {ALL[each] for each in range(5) if each not in heard | {again}}
    assert judged.twice == (again in heard)


def test_the_name_is_read_from_what_doors_send() -> None:
    assert named(envelope.encode(Envelope(DOOR, RUN, 7, "0.1.0", 0, Health()))) == Name(DOOR, RUN, 7)


@pytest.mark.parametrize("payload", [b"", b"online", b"[]", b"{}", json.dumps({"door": DOOR, "run": RUN}).encode()])
def test_what_is_no_message_has_no_name(payload: bytes) -> None:
    with pytest.raises(ValueError, match="no report and no alarm"):
        named(payload)
