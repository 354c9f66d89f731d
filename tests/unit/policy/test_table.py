"""The bytes of a policy: one form, whole or refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device.errors import DocumentRefused
from device.policy import table
from device.policy.schedule import MOST_EXCEPTIONS, MOST_SCHEDULES, DoorPolicy, Interval, OtherHours, Schedule
from tests.unit.formats_page import layout, of_struct, section, tables, vectors
from tests.unit.policy.policies import ALL_DAY, CARD, NEVER, PIN, WITH_PIN, always, policies, policy

WEEKDAYS = ((Interval(420, 1200),),) * 5
SAMPLE = policy(
    always(PIN | CARD),
    Schedule(
        WITH_PIN,
        (*WEEKDAYS, NEVER, NEVER),
        (OtherHours(date(2026, 12, 24), date(2026, 12, 26), (Interval(600, 720),)),),
    ),
)


@given(policies)
@settings(max_examples=100)
def test_what_is_packed_is_unpacked_again(policy: DoorPolicy) -> None:
    assert table.unpack(table.pack(policy)) == policy


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DocumentRefused):
        table.unpack(data)


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
        "02",
        "03070000",  # PIN and card, seven intervals, no other hours
        *(f"{day:02x}0000a005" for day in range(7)),
        "04050001",  # face with PIN, five intervals, other hours once
        *(f"{day:02x}a401b004" for day in range(5)),
        "4b51" + "4d51" + "0100",  # the days 20,811 to 20,813
        "5802" + "d002",
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
        "hours": table.WEEKLY,
        "other hours": table.OTHER,
        "span": table.SPAN,
    }
    for part, form in forms.items():
        assert layout([row for row in rows if row["part"] == part]) == of_struct(form.format), part
    assert {row["part"] for row in rows} == set(forms)
    assert f"1 to {MOST_SCHEDULES}" in text
    assert f"at most {MOST_EXCEPTIONS}" in text
