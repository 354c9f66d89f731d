"""The bytes of a policy: one form, whole or refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device.document import MAX_BODY
from device.errors import DocumentRefused
from device.policy import table
from device.policy.schedule import (
    MOST_EXCEPTIONS,
    MOST_SCHEDULES,
    MOST_TIMETABLES,
    DoorPolicy,
    Interval,
    OtherHours,
    Schedule,
    Timetable,
)
from tests.unit.formats_page import layout, of_struct, section, tables, vectors
from tests.unit.policy.policies import ALL_DAY, ALWAYS, CARD, NEVER, PIN, WITH_PIN, always, policies, policy

WEEKDAYS = ((Interval(420, 1200),),) * 5
SAMPLE = policy(
    always(PIN | CARD),
    Schedule(
        WITH_PIN,
        (*WEEKDAYS, NEVER, NEVER),
        (OtherHours(date(2026, 12, 24), date(2026, 12, 26), (Interval(600, 720),)),),
    ),
    timetables=(Timetable(3, ((Interval(480, 720),), *(NEVER,) * 6)),),
)


@given(policies)
def test_what_is_packed_is_unpacked_again(policy: DoorPolicy) -> None:
    assert table.unpack(table.pack(policy)) == policy


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DocumentRefused):
        table.unpack(data)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=300)
def test_a_changed_policy_is_refused_or_another_policy_in_its_one_form(data: st.DataObject) -> None:
    raw = bytearray(table.pack(SAMPLE))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = table.unpack(bytes(raw))
    except DocumentRefused:
        return
    assert table.pack(found) == bytes(raw)


@given(st.integers(0, len(table.pack(SAMPLE)) - 1))
@example(0)
@settings(max_examples=50)
def test_a_policy_that_is_cut_or_longer_is_refused(cut: int) -> None:
    raw = table.pack(SAMPLE)
    for torn in (raw[:cut], raw + bytes(1), raw + raw[:cut]):
        if torn != raw:
            with pytest.raises(DocumentRefused):
                table.unpack(torn)


def test_the_same_hours_in_another_order_are_refused() -> None:
    raw = table.pack(policy(Schedule(PIN, (((Interval(0, 60), Interval(90, 100))), *(ALL_DAY,) * 6))))
    head = table.HEAD.size + table.SCHEDULE.size
    swapped = raw[:head] + raw[head + 5 : head + 10] + raw[head : head + 5] + raw[head + 10 :]
    with pytest.raises(DocumentRefused):
        table.unpack(swapped)


def test_a_zone_too_long_for_its_place_is_refused() -> None:
    with pytest.raises(DocumentRefused, match="40 letters"):
        table.pack(policy(always(PIN), zone="A" * 41))


def test_the_bytes_of_a_policy_never_change() -> None:
    """The vector of docs/formats.md."""
    fields = (
        b"Europe/Berlin".ljust(40, b"\0").hex(),
        "02",  # two schedules
        "01",  # one timetable
        "03070000",  # PIN and card, seven intervals, no other hours
        *(f"{day:02x}0000a005" for day in range(7)),
        "04050001",  # face with PIN, five intervals, other hours once
        *(f"{day:02x}a401b004" for day in range(5)),
        "4b51" + "4d51" + "0100",  # the days 20,811 to 20,813
        "5802" + "d002",
        "03010000",  # timetable 3, one interval, no other hours
        "00e001d002",  # Mondays from 08:00 to 12:00
    )
    assert table.pack(SAMPLE).hex() == "".join(fields)
    assert (date(2026, 12, 24) - date(1970, 1, 1)).days == int.from_bytes(bytes.fromhex("4b51"), "little")


def test_the_policy_of_the_page_is_this_one_and_its_layout_is_that_of_the_code() -> None:
    text = section("A policy, the body of kind 2")
    (stated,) = vectors(text)
    assert stated == table.pack(SAMPLE)
    (rows,) = tables(text)
    forms = {
        "head": table.HEAD,
        "schedule": table.SCHEDULE,
        "timetable": table.TIMETABLE,
        "hours": table.WEEKLY,
        "other hours": table.OTHER,
        "span": table.SPAN,
    }
    for part, form in forms.items():
        assert layout([row for row in rows if row["part"] == part]) == of_struct(form.format), part
    assert {row["part"] for row in rows} == set(forms)
    assert f"1 to {MOST_SCHEDULES}" in text
    assert f"at most {MOST_EXCEPTIONS}" in text
    assert f"0 to {MOST_TIMETABLES}" in text


def test_the_largest_timetables_of_a_house_fit_a_document() -> None:
    """One schedule for all days and 32 timetables, each with two stretches on five days and no other hours."""
    twice = ((Interval(480, 720), Interval(780, 1020)),) * 5
    full = tuple(Timetable(number, (*twice, NEVER, NEVER)) for number in range(1, MOST_TIMETABLES + 1))
    assert len(table.pack(policy(always(PIN | CARD), timetables=full))) <= MAX_BODY


def test_timetables_in_another_order_or_twice_are_refused() -> None:
    raw = table.pack(policy(always(PIN), timetables=(Timetable(1, ALWAYS), Timetable(2, ALWAYS))))
    size = table.TIMETABLE.size + 7 * table.WEEKLY.size
    one, other = raw[-2 * size : -size], raw[-size:]
    for wrong in (other + one, one + one):
        with pytest.raises(DocumentRefused, match="each timetable once"):
            table.unpack(raw[: -2 * size] + wrong)
