"""One size for everything that is said."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.errors import MessageRefused
from device.report import envelope
from device.report.alarm import REASON_CHARS
from device.report.envelope import SIZE, Envelope, Kind
from device.report.health import ALARMS, Health
from device.wire import OccurrenceKind

BROKEN = Health(
    lock=False,
    camera=False,
    vault=False,
    keeper=False,
    alarms=frozenset({OccurrenceKind.BOLT_FAULT}),
    documents=2**40,
    storage=False,
    lockout=False,
    count=-(10**9),
    certificate=False,
)
REASON = "A" * REASON_CHARS
LONGEST = Envelope("f" * 16, "f" * 8, 2**40, "1" * 16, 10**9, BROKEN)

healths = st.builds(
    Health,
    lock=st.booleans(),
    camera=st.booleans(),
    vault=st.booleans(),
    keeper=st.booleans(),
    alarms=st.frozensets(st.sampled_from(sorted(ALARMS))),
    documents=st.integers(-1, 2**70),
    storage=st.booleans(),
    lockout=st.booleans(),
    count=st.none() | st.integers(-(2**70), 2**70),
    certificate=st.booleans(),
    retired=st.booleans(),
)
envelopes = st.builds(
    Envelope,
    door=st.text("0123456789abcdef", min_size=16, max_size=16),
    run=st.text("0123456789abcdef", min_size=8, max_size=8),
    sequence=st.integers(-1, 2**70),
    software=st.text(max_size=40),
    dropped=st.integers(-1, 2**70),
    health=healths | st.none(),
    reason=st.just(REASON),
)


@given(envelopes)
@example(LONGEST)
def test_every_state_has_the_same_size(said: Envelope) -> None:
    assert len(envelope.encode(said)) == SIZE


def test_the_longest_object_has_the_length_that_the_module_states() -> None:
    longest = len(envelope.encode(LONGEST).rstrip())
    assert f"the longest object takes {longest} of them" in (envelope.__doc__ or "")
    assert len(envelope.encode(replace(LONGEST, health=None, reason=REASON)).rstrip()) < longest


@given(envelopes)
def test_it_reads_back_as_plain_json_with_what_was_said(said: Envelope) -> None:
    read = json.loads(envelope.encode(said))
    assert (read["v"], read["kind"], read["door"], read["run"]) == (2, said.kind, said.door, said.run)
    if said.health is not None:
        flags = ("lock", "camera", "vault", "keeper", "bolt")
        assert {flag: read[flag] for flag in flags} == {flag: getattr(said.health, flag) for flag in flags}
        assert read["alarm"] is bool(said.health.alarms)
        assert (read["storage"], read["lockout"]) == (said.health.storage, said.health.lockout)
        assert read["cert"] is said.health.certificate
        assert read["retired"] is said.health.retired
        assert (read["count"] is None) is (said.health.count is None)


def test_a_report_holds_these_keys_and_no_other() -> None:
    keys = "v kind door run seq sw dropped lock camera vault keeper bolt alarm docs storage lockout count cert retired"
    assert list(json.loads(envelope.encode(LONGEST))) == keys.split()


def test_an_alarm_says_nothing_but_that_there_is_one() -> None:
    alarm = replace(LONGEST, health=None, reason=REASON)
    assert list(json.loads(envelope.encode(alarm))) == ["v", "kind", "door", "run", "seq", "sw", "dropped", "reason"]
    assert alarm.kind is Kind.ALARM


def test_counters_stop_at_their_end_instead_of_growing_or_wrapping() -> None:
    read = json.loads(envelope.encode(LONGEST))
    assert (read["seq"], read["dropped"]) == (envelope.MAX_SEQUENCE, envelope.MAX_DROPPED)
    assert (read["docs"], read["count"]) == (envelope.MAX_DOCUMENTS, envelope.LEAST_COUNT)


@pytest.mark.parametrize("reason", ["", "A" * 87, "A" * 89, "A" * 87 + '"', "A" * 87 + "\n", "TAMPER"])
def test_an_alarm_whose_reason_has_another_size_is_never_sent(reason: str) -> None:
    with pytest.raises(MessageRefused, match="88 letters"):
        envelope.encode(replace(LONGEST, health=None, reason=reason))


@pytest.mark.parametrize(
    "change", [{"door": "Flat 12"}, {"door": "f" * 17}, {"run": ""}, {"run": '"},{"x'}, {"door": "f" * 16 + "\n"}]
)
def test_an_id_that_is_none_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(MessageRefused, match="hexadecimal"):
        envelope.encode(replace(LONGEST, **change))  # type: ignore[arg-type]  # every change is a text for a text field


def test_an_unreadable_version_is_called_unknown() -> None:
    assert json.loads(envelope.encode(replace(LONGEST, software='1"}')))["sw"] == "unknown"


def test_topics_name_the_door_and_nothing_else() -> None:
    assert envelope.topic(Kind.REPORT, "ab") == "doorward/ab/report"
    assert envelope.topic(Kind.ALARM, "ab") == "doorward/ab/alarm"
    assert envelope.availability_topic("ab") == "doorward/ab/availability"
