"""What lies on the disk: no template in any form a scan finds, and records that refuse all but themselves."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import wire
from device.errors import RecordRefused
from device.sealing import record as sealed_record
from device.sealing.files import DiskFiles
from device.vault import record
from device.vault.faces import Faces
from device.vault.record import FaceRecord
from device.wire import Outcome, Result
from tests.unit.vault.house import House, unit

CANARY = unit(4711)
TENANCY = b"t" * 16


def disguises(template: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> dict[str, bytes]:
    """Pieces of a template in every form somebody might have written it in."""
    forms = {
        "float32": template.astype("<f4").tobytes(),
        "float64": template.astype("<f8").tobytes(),
        "float16": template.astype("<f2").tobytes(),
        "int8": np.round(template * 127).astype(np.int8).tobytes(),
    }
    found = {}
    for name, form in forms.items():
        piece = form[48:96]  # a multiple of three, so that base64 of the whole holds base64 of the piece
        found[name] = piece
        found[name + " in hex"] = piece.hex().encode()
        found[name + " in base64"] = base64.b64encode(piece)
    return found


def traces(folder: Path, template: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[str]:
    """Every disguise of `template` that stands in a file below `folder`."""
    held = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert held
    return [name for name, piece in disguises(template).items() if any(piece in data for data in held)]


def enrolled_on_disk(folder: Path) -> House:
    house = House(DiskFiles(), folder)
    house.connect()
    # Enrolment averages; so the template to look for is the one that vault ended up with.
    assert house.enrol(11, CANARY) is Result.DONE
    return house


def test_no_template_lies_in_the_state_folder(tmp_path: Path) -> None:
    house = enrolled_on_disk(tmp_path / "vault")
    template = house.vault.faces.gallery().templates[0]
    assert traces(tmp_path, template) == []
    house.capture(unit(6), slot=12)
    assert house.vault._enrolling
    waiting = np.frombuffer(house.vault._enrolling.record(1).template, dtype="<f4").astype(np.float32)
    assert traces(tmp_path, waiting) == [], "not before the PIN was shown again"
    house.act(wire.Pause, 11)
    house.act(wire.Erase, 11)
    assert traces(tmp_path, template) == []
    house.close()


def test_probes_and_unfinished_enrolments_write_nothing(tmp_path: Path) -> None:
    house = enrolled_on_disk(tmp_path / "vault")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "vault").iterdir()}
    assert house.probe(CANARY).outcome is Outcome.ACCEPTED
    assert house.probe(unit(5)).outcome is Outcome.REFUSED
    house.begin(12)
    house.show(unit(6), house.window())
    house.close_window()
    assert house.vault.deadline() is not None, "a face waits for its PIN"
    house.wait(61)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "vault").iterdir()} == before
    house.close()


# The seeded faults: writers that forget to encrypt.
WRITERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda payload: payload,
    "hex": lambda payload: payload.hex().encode(),
    "base64 of the template": lambda payload: base64.b64encode(payload[-512:]),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_the_scan_finds_a_template_that_was_not_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    monkeypatch.setattr(sealed_record, "seal", lambda payload, _entry, _binding: WRITERS[writer](payload))
    house = enrolled_on_disk(tmp_path / "vault")
    assert traces(tmp_path, house.vault.faces.gallery().templates[0])
    house.close()


# ---- the payload of a record


@st.composite
def face_records(draw: st.DrawFn) -> FaceRecord:
    return FaceRecord(
        template=unit(draw(st.integers(0, 2**32 - 1))).astype("<f4").tobytes(),
        frames=draw(st.integers(0, 255)),
        consent=draw(st.binary(min_size=32, max_size=32)),
        tenancy=draw(st.binary(min_size=16, max_size=16).filter(any)),
        enrolled_day=draw(st.integers(0, 2**32 - 1)),
        paused=draw(st.booleans()),
    )


@given(face_records())
def test_face_record_survives_its_byte_form(value: FaceRecord) -> None:
    assert record.parse(record.pack(value)) == value
    assert len(record.pack(value)) == record.RECORD_BYTES == 568


@given(face_records(), st.binary(min_size=1, max_size=4), st.integers(0, 567))
def test_any_other_bytes_are_refused_or_are_exactly_a_record(value: FaceRecord, noise: bytes, at: int) -> None:
    whole = record.pack(value)
    changed = (whole[:at] + noise + whole[at + len(noise) :])[:568]
    for data in (changed, whole[:at], whole + noise, noise):
        try:
            parsed = record.parse(data)
        except RecordRefused:
            continue
        assert record.pack(parsed) == data


@pytest.mark.parametrize(
    ("at", "byte"),
    [(0, 2), (1, 2), (1, 0x80), (3, 1)],
    ids=["version", "unknown flag", "highest flag", "padding"],
)
def test_unknown_versions_flags_and_padding_are_refused(at: int, byte: int) -> None:
    data = bytearray(record.pack(FaceRecord(CANARY.astype("<f4").tobytes(), 5, bytes(32), TENANCY, 1)))
    data[at] = byte
    with pytest.raises(RecordRefused, match="version this door does not read"):
        record.parse(bytes(data))


def test_a_record_that_names_no_tenancy_is_refused() -> None:
    data = bytearray(record.pack(FaceRecord(CANARY.astype("<f4").tobytes(), 5, bytes(32), TENANCY, 1)))
    at = data.index(TENANCY)
    data[at : at + 16] = wire.NO_TENANCY
    with pytest.raises(RecordRefused, match="names no tenancy"):
        record.parse(bytes(data))


@pytest.mark.parametrize(
    "value",
    [
        FaceRecord(bytes(512), 5, bytes(32), TENANCY, 1),
        FaceRecord(CANARY.astype("<f4").tobytes()[:-4], 5, bytes(32), TENANCY, 1),
        FaceRecord(CANARY.astype("<f4").tobytes(), 5, bytes(31), TENANCY, 1),
        FaceRecord(CANARY.astype("<f4").tobytes(), 256, bytes(32), TENANCY, 1),
        FaceRecord(CANARY.astype("<f4").tobytes(), 5, bytes(32), TENANCY, -1),
        FaceRecord(CANARY.astype("<f4").tobytes(), 5, bytes(32), TENANCY[:-1], 1),
        FaceRecord(CANARY.astype("<f4").tobytes(), 5, bytes(32), wire.NO_TENANCY, 1),
    ],
)
def test_what_is_no_face_record_is_not_packed(value: FaceRecord) -> None:
    with pytest.raises(RecordRefused):
        record.pack(value)


def test_a_sealed_payload_that_is_no_face_sleeps_and_the_rest_lives(tmp_path: Path) -> None:
    house = enrolled_on_disk(tmp_path / "vault")
    store = house.vault.faces._store
    store.put(12, b"no face record")
    store.put(0, store.records()[11])
    faces = Faces(store)
    assert faces.slots() == (11,)
    assert len(faces.refused) == 2
    assert faces.erase(12)
    assert 12 not in store.records()
    house.close()
