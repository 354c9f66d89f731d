"""One size for everything that is said."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.errors import MessageRefused
from device.report import envelope
from device.report.envelope import SIZE, Envelope, Kind
from device.report.health import ALARMS, Health
from device.report.seal import LETTERS
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
SEALED = "A" * LETTERS
LONGEST = Envelope("f" * 16, "f" * 8, 2**40, "1" * 16, 10**9, BROKEN, SEALED)
AT_HOME = replace(LONGEST, sealed="")
ALARM = replace(LONGEST, health=None)

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
    sealed=st.just(SEALED),
) | st.builds(
    Envelope,
    door=st.just("f" * 16),
    run=st.just("f" * 8),
    sequence=st.integers(1, 9),
    software=st.just("0.1.0"),
    dropped=st.just(0),
    health=healths,
    sealed=st.just(""),
)


@given(envelopes)
@example(LONGEST)
def test_every_state_has_the_same_size(said: Envelope) -> None:
    assert len(envelope.encode(said)) == SIZE


def test_the_longest_object_has_the_length_that_the_module_states() -> None:
    longest = len(envelope.encode(LONGEST).rstrip())
    assert f"the longest object takes {longest} of them" in (envelope.__doc__ or "")
    assert max(len(envelope.encode(said).rstrip()) for said in (ALARM, AT_HOME)) < longest


@given(envelopes)
def test_it_reads_back_as_plain_json_with_what_was_said(said: Envelope) -> None:
    read = json.loads(envelope.encode(said))
    assert (read["v"], read["kind"], read["door"], read["run"]) == (2, said.kind, said.door, said.run)
    if said.health is not None:
        flags = ["lock", "vault", "keeper", "bolt", "storage"] + ["camera", "lockout"] * (not said.sealed)
        assert {flag: read[flag] for flag in flags} == {flag: getattr(said.health, flag) for flag in flags}
        assert read["alarm"] is bool(said.health.alarms)
        assert read["cert"] is said.health.certificate
        assert read["retired"] is said.health.retired
        assert (read["count"] is None) is (said.health.count is None)


def test_a_report_holds_these_keys_and_no_other() -> None:
    keys = "v kind door run seq sw dropped lock vault keeper bolt alarm docs storage count cert retired sealed"
    assert list(json.loads(envelope.encode(LONGEST))) == keys.split()
    keys = "v kind door run seq sw dropped lock camera vault keeper bolt alarm docs storage lockout count cert retired"
    assert list(json.loads(envelope.encode(AT_HOME))) == keys.split()


@given(healths, st.booleans(), st.booleans())
def test_what_is_sealed_changes_no_byte_in_the_open(health: Health, camera: bool, lockout: bool) -> None:
    said = replace(LONGEST, health=health)
    other = replace(said, health=replace(health, camera=camera, lockout=lockout))
    assert envelope.encode(said) == envelope.encode(other)


@pytest.mark.parametrize("trouble", [{"camera": False}, {"lockout": True}])
def test_at_home_both_stand_in_the_open_and_there_it_would_change(trouble: dict[str, bool]) -> None:
    well = replace(AT_HOME, health=Health())
    assert envelope.encode(well) != envelope.encode(replace(well, health=replace(Health(), **trouble)))  # type: ignore[arg-type]  # two flags


def test_an_alarm_says_nothing_but_that_there_is_one() -> None:
    assert list(json.loads(envelope.encode(ALARM))) == ["v", "kind", "door", "run", "seq", "sw", "dropped", "reason"]
    assert ALARM.kind is Kind.ALARM


def test_counters_stop_at_their_end_instead_of_growing_or_wrapping() -> None:
    read = json.loads(envelope.encode(LONGEST))
    assert (read["seq"], read["dropped"]) == (envelope.MAX_SEQUENCE, envelope.MAX_DROPPED)
    assert (read["docs"], read["count"]) == (envelope.MAX_DOCUMENTS, envelope.LEAST_COUNT)


@pytest.mark.parametrize("sealed", ["", "A" * 87, "A" * 89, "A" * 87 + '"', "A" * 87 + "\n", "TAMPER"])
def test_what_is_sealed_and_has_another_size_is_never_sent(sealed: str) -> None:
    for said in [ALARM, LONGEST] if sealed else [ALARM]:
        with pytest.raises(MessageRefused, match="88 letters"):
            envelope.encode(replace(said, sealed=sealed))


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
