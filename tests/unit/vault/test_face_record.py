"""The payload of a face record: whole in and whole out, and everything else refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import wire
from device.errors import RecordRefused
from device.vault import record
from device.vault.expiry import Expiry
from device.vault.faces import Faces
from device.vault.record import CONSENT_BYTES, RECORD_BYTES, Averaged, FaceRecord
from device.vault.rotation import Rotation
from device.wire import Result
from tests.unit.vault.house import House
from tests.unit.vault.values import CONSENT, GRACE_NS, unit

TENANCY, TAG, SIGNED = b"t" * 16, b"rotation", b"c" * CONSENT_BYTES
FACE = FaceRecord(unit(4711).astype("<f4").tobytes(), TAG, 5, SIGNED, TENANCY, 1)


@st.composite
def face_records(draw: st.DrawFn) -> FaceRecord:
    return FaceRecord(
        template=unit(draw(st.integers(0, 2**32 - 1))).astype("<f4").tobytes(),
        rotation=draw(st.binary(min_size=8, max_size=8)),
        frames=(frames := draw(st.integers(0, 255))),
        length=(length := draw(st.integers(0, 2**16 - 1))),
        sittings=draw(st.integers(1, max(1, min(3, frames) if length else 1))),
        worth=draw(st.integers(0, frames)),
        consent=draw(st.binary(min_size=CONSENT_BYTES, max_size=CONSENT_BYTES)),
        tenancy=draw(st.binary(min_size=16, max_size=16).filter(any)),
        enrolled_day=draw(st.integers(0, 2**32 - 1)),
        ends_unix=draw(st.integers(0, 2**63 - 1)),
        under_14=draw(st.booleans()),
        covered=draw(st.booleans()),
        paused=draw(st.booleans()),
    )


@given(face_records())
def test_face_record_survives_its_byte_form(value: FaceRecord) -> None:
    assert record.parse(record.pack(value)) == value
    assert len(record.pack(value)) == RECORD_BYTES == 844


@given(face_records(), st.binary(min_size=1, max_size=4), st.integers(0, RECORD_BYTES - 1))
def test_any_other_bytes_are_refused_or_are_exactly_a_record(value: FaceRecord, noise: bytes, at: int) -> None:
    whole = record.pack(value)
    changed = (whole[:at] + noise + whole[at + len(noise) :])[:RECORD_BYTES]
    for data in (changed, whole[:at], whole + noise, noise):
        try:
            parsed = record.parse(data)
        except RecordRefused:
            continue
        assert record.pack(parsed) == data


@pytest.mark.parametrize(
    ("at", "byte"),
    [(0, 1), (0, 3), (1, 0x18), (1, 0x20), (1, 0x80)],
    ids=["older version", "newer version", "a fourth sitting", "unknown flag", "highest flag"],
)
def test_unknown_versions_and_flags_are_refused(at: int, byte: int) -> None:
    data = bytearray(record.pack(FACE))
    data[at] = byte
    with pytest.raises(RecordRefused, match="version this door does not read"):
        record.parse(bytes(data))


def test_a_record_that_counts_for_more_than_was_averaged_is_neither_read_nor_written() -> None:
    data = bytearray(record.pack(FACE))
    data[3] = FACE.frames
    assert record.parse(bytes(data)).averaged == FACE.averaged == Averaged(FACE.frames, FACE.frames)
    data[3] = FACE.frames + 1
    with pytest.raises(RecordRefused, match="counts more pictures"):
        record.parse(bytes(data))
    with pytest.raises(RecordRefused, match="counts more pictures"):
        record.pack(replace(FACE, worth=FACE.frames + 1))


@pytest.mark.parametrize(
    "change", [{"sittings": 0}, {"sittings": 4}, {"length": 0}, {"frames": 1, "worth": 1}, {"sittings": -1}]
)
def test_a_record_of_sittings_that_cannot_be_is_neither_read_nor_written(change: dict[str, int]) -> None:
    two = replace(FACE, frames=10, worth=3, length=57_000, sittings=2)
    data = bytearray(record.pack(two))
    assert record.parse(bytes(data)) == two
    with pytest.raises(RecordRefused, match="joins sittings that cannot be"):
        record.pack(replace(two, **change))  # type: ignore[arg-type] # one number each
    data[RECORD_BYTES - 514 : RECORD_BYTES - 512] = bytes(2)
    with pytest.raises(RecordRefused, match="joins sittings that cannot be"):
        record.parse(bytes(data))


def test_how_often_its_resident_is_refused_is_read_as_for_one_of_its_sittings() -> None:
    for frames, sittings, worth, pictures in ((5, 1, 2, 5), (10, 2, 3, 5), (15, 3, 9, 5), (9, 3, 3, 3)):
        face = replace(FACE, frames=frames, sittings=sittings, worth=worth, length=57_000)
        assert face.averaged == Averaged(pictures, worth, sittings)


def test_a_record_that_names_no_tenancy_or_an_end_before_1970_is_refused() -> None:
    data = bytearray(record.pack(FACE))
    at = data.index(TENANCY)
    for place, value in ((at, wire.NO_TENANCY), (at + 16, (-1).to_bytes(8, "little", signed=True))):
        changed = bytearray(data)
        changed[place : place + len(value)] = value
        with pytest.raises(RecordRefused, match="names no tenancy, or an end before 1970"):
            record.parse(bytes(changed))


@pytest.mark.parametrize(
    "value",
    [
        replace(FACE, template=bytes(512)),
        replace(FACE, template=FACE.template[:-4]),
        replace(FACE, rotation=TAG[:-1]),
        replace(FACE, rotation=TAG + b"!"),
        replace(FACE, consent=SIGNED[:-1]),
        replace(FACE, consent=b""),
        replace(FACE, frames=256),
        replace(FACE, enrolled_day=-1),
        replace(FACE, tenancy=TENANCY[:-1]),
        replace(FACE, tenancy=wire.NO_TENANCY),
        replace(FACE, ends_unix=-1),
        replace(FACE, ends_unix=2**63),
    ],
)
def test_what_is_no_face_record_is_not_packed(value: FaceRecord) -> None:
    assert record.pack(FACE)
    with pytest.raises(RecordRefused):
        record.pack(value)


def test_a_sealed_payload_that_is_no_face_sleeps_and_the_rest_lives(house: House) -> None:
    assert house.enrol(11, unit(1)) is Result.DONE
    store = house.vault.faces._store
    store.put(12, b"no face record", CONSENT)
    store.put(0, store.records()[11], CONSENT)
    faces = Faces(store, CONSENT, Expiry(GRACE_NS))
    assert faces.slots() == (11,)
    assert len(faces.refused) == 2
    assert faces.erase(12)
    assert 12 not in store.records()


def refused_of_another_turn(house: House) -> tuple[int, int | None]:
    """(how many records are refused, who is recognised) with a face on the disk that another secret turned."""
    house.enrol(11, unit(1))
    store = house.vault.faces._store
    face = record.parse(store.records()[11])
    other = Rotation.of(b"o" * 32)
    turned = record.to_bytes(other.apply(unit(1)))
    store.put(11, record.pack(replace(face, template=turned, rotation=other.tag)), CONSENT)
    house.restart()
    house.connect()
    return len(house.vault.faces.refused), house.recognised(house.vault.faces._rotation.undo(other.apply(unit(1))))


def test_a_face_that_was_turned_by_another_secret_is_refused_and_never_compared(house: House) -> None:
    assert refused_of_another_turn(house) == (1, None)
    assert house.vault.faces.slots() == ()
    assert house.rekey() is Result.DONE
    assert len(house.vault.faces.refused) == 1, "a rekey turns no stranger into a resident"
    assert house.vault.faces.slots() == ()
    assert house.enrol(11, unit(1)) is Result.DONE, "and its slot may enrol again"


def test_a_vault_that_does_not_look_at_the_tag_is_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faces, "_parsed", lambda _self, _slot, payload: record.parse(payload))
    assert refused_of_another_turn(house) == (0, 11)
