"""A call for help leaves at once, looks like any alarm, and stands nowhere afterwards."""

import json

import pytest

from device.report.teller import Identity, Message, Teller
from device.wire import OccurrenceKind

ME = Identity("00112233445566aa", "0badcafe", "0.1.0")


def teller() -> Teller:
    return Teller(ME, 900.0, 0.0)


def said(message: Message | None) -> dict[str, object]:
    assert message is not None
    told: dict[str, object] = json.loads(message.payload)
    return told


def test_a_call_for_help_is_told_at_once_and_each_time() -> None:
    telling = teller()
    first = telling.hear(OccurrenceKind.DURESS, 10.0, 0)
    second = telling.hear(OccurrenceKind.DURESS, 10.5, 0)
    assert first is not None
    assert second is not None
    assert said(first)["kind"] == "alarm"


@pytest.mark.parametrize("other", [OccurrenceKind.TAMPER, OccurrenceKind.FORCED_OPEN, OccurrenceKind.BREACH])
def test_nobody_who_reads_the_alarm_learns_that_it_was_one(other: OccurrenceKind) -> None:
    for_help, for_other = teller().hear(OccurrenceKind.DURESS, 10.0, 0), teller().hear(other, 10.0, 0)
    assert for_help is not None
    assert for_other is not None
    one, two = said(for_help), said(for_other)
    assert (for_help.topic, len(for_help.payload)) == (for_other.topic, len(for_other.payload))
    assert len(str(one.pop("reason"))) == len(str(two.pop("reason")))
    assert one == two


def test_no_later_report_says_that_there_was_one() -> None:
    quiet, called = teller(), teller()
    called.hear(OccurrenceKind.DURESS, 10.0, 0)
    before, after = quiet.report(quiet.due_s, 0), called.report(called.due_s, 0)
    wanted, got = said(before), said(after)
    # The count of messages is all that differs, but for the letters of a seal, which are new in each report.
    assert {**got, "seq": 0, "sealed": ""} == {**wanted, "seq": 0, "sealed": ""}


def test_a_duress_that_stood_like_an_alarm_would_be_seen_in_the_next_report() -> None:
    """The seeded fault: had it been folded into the health, the report would tell."""
    telling = teller()
    telling.hear(OccurrenceKind.TAMPER, 10.0, 0)
    assert said(telling.report(telling.due_s, 0))["alarm"] is True
