"""What is held about one face: the payload of a sealed record.

Rules kept here:
- Nothing but what the comparison, the consent and the end of both need: no picture, no name, no time of day.
- The template is stored turned by a secret of the door (`rotation`), never as eye made it; `rotation` names which.
- A template is a unit vector of 128 finite float32 numbers, checked whenever one comes in, from disk or from eye.
- Parsing accepts exactly what packing makes.

Byte form (version 2, 844 bytes, little-endian): version (u8) | flags (u8, bit 0: paused, bit 1: under 14,
bit 2: enrolled with mouth and nose covered, bits 3 and 4: how many sittings were joined to the first) | frames
averaged (u8) | how many different pictures they are worth (u8, at most as many; 0: not measured, as many) | day of
enrolment, days since 1970-01-01 UTC (u32) | tag of the rotation (8) | tenancy (16) | end of the tenancy, seconds since
1970, 0 if it has none (i64) | signed consent record (290) | length of the mean of the frames, in 65535ths (u16; 0: not
known) | turned template (128 x float32).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.attestation import SIZES, ConsentRecord
from device.errors import RecordRefused
from device.vault.credentials import Place
from device.wire import EMBEDDING_BYTES, EMBEDDING_DIM, NO_END, NO_TENANCY

Vector = NDArray[np.float32]

CONSENT_BYTES = SIZES[ConsentRecord]
TAG_BYTES = 8
_VERSION = 2
_PAUSED, _UNDER_14, _COVERED = 1, 2, 4
_MORE_SITTINGS = 3  # where that number begins among the flags
MOST_SITTINGS = 3
_LENGTHS = 2**16 - 1
_FORM = struct.Struct(f"<BBBBI{TAG_BYTES}s16sq{CONSENT_BYTES}sH{EMBEDDING_BYTES}s")
RECORD_BYTES = _FORM.size
# Float32 normalisation of 128 numbers errs below 1e-6; the bound leaves room for an int8 network's rounding.
_NORM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Averaged:
    """Of what a template is the mean, as far as its threshold goes.

    pictures: of one sitting; for as many is read how often its resident is refused. worth: as many different ones bring
    strangers nearer. sittings: in how many it was seen.
    """

    pictures: int
    worth: int
    sittings: int = 1


ONE_PICTURE = Averaged(1, 1)


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One enrolled face. `template` is the wire form (little-endian float32), so that records compare and hash.

    `rotation` (8 bytes) is the tag of the rotation that turned it. `consent` is the signed consent record. `tenancy`
    (16 bytes) names the offer under which its slot was taken, `ends_unix` (seconds since 1970) when that ends.
    `covered`: its template is of a face with mouth and nose covered. `worth`: how many different pictures its
    `frames` are worth, at most as many; 0 in records from before that was measured. `length`: of the mean of them, in
    65535ths, before it was brought to 1; 0 in records from before that was kept. `sittings`: in how many they were.
    """

    template: bytes = field(repr=False)
    rotation: bytes
    frames: int
    consent: bytes = field(repr=False)
    tenancy: bytes = field(repr=False)
    enrolled_day: int
    ends_unix: int = NO_END
    under_14: bool = False
    paused: bool = False
    covered: bool = False
    worth: int = 0
    length: int = 0
    sittings: int = 1

    @property
    def averaged(self) -> Averaged:
        """As the mean of what it is compared."""
        return Averaged(self.frames // self.sittings, self.worth or self.frames, self.sittings)

    @property
    def mean_length(self) -> float | None:
        """How long the mean of its frames was before it was brought to 1; None if that is not known."""
        return self.length / _LENGTHS if self.length else None


@dataclass(frozen=True, slots=True)
class NewFace:
    """A face as an enrolment ends: `template` as eye made it (wire form), `consent` the signed record.

    `worth`: as in FaceRecord. `length`: of the mean of the frames; 0 if that is not known.
    """

    template: bytes = field(repr=False)
    frames: int
    consent: bytes = field(repr=False)
    place: Place
    enrolled_day: int
    under_14: bool
    covered: bool = False
    worth: int = 0
    length: float = 0.0


def length_kept(length: float) -> int:
    """`length` (above 0, at most 1) as a record keeps it."""
    return max(1, min(_LENGTHS, round(length * _LENGTHS)))


def pack(record: FaceRecord) -> bytes:
    """The payload of `record`. Raises RecordRefused if a field does not fit."""
    if unit_vector(record.template) is None or len(record.rotation) != TAG_BYTES:
        raise RecordRefused("a face record needs a unit template and the tag of its rotation")
    if len(record.consent) != CONSENT_BYTES or record.ends_unix < 0:
        raise RecordRefused("a face record needs a signed consent, and no end before 1970")
    if len(record.tenancy) != len(NO_TENANCY) or record.tenancy == NO_TENANCY:
        raise RecordRefused("a face record needs the tenancy it belongs to")
    if record.worth > record.frames:
        raise RecordRefused("a face record counts more pictures than were averaged")
    _check_sittings(record)
    try:
        return _FORM.pack(
            _VERSION,
            _flags(record),
            record.frames,
            record.worth,
            record.enrolled_day,
            record.rotation,
            record.tenancy,
            record.ends_unix,
            record.consent,
            record.length,
            record.template,
        )
    except struct.error as cause:
        raise RecordRefused("a number in a face record is out of range") from cause


def parse(payload: bytes) -> FaceRecord:
    """The record in `payload`. Raises RecordRefused for everything `pack` would not make."""
    if len(payload) != RECORD_BYTES:
        raise RecordRefused(f"a face record holds {RECORD_BYTES} bytes, not {len(payload)}")
    version, flags, frames, worth, day, rotation, tenancy, ends_unix, consent, length, template = _FORM.unpack(payload)
    more = flags >> _MORE_SITTINGS
    if version != _VERSION or more >= MOST_SITTINGS:
        raise RecordRefused("a face record is of a version this door does not read")
    if unit_vector(template) is None:
        raise RecordRefused("a face record holds no unit template")
    if worth > frames:
        raise RecordRefused("a face record counts more pictures than were averaged")
    if tenancy == NO_TENANCY or ends_unix < 0:
        raise RecordRefused("a face record names no tenancy, or an end before 1970")
    face = FaceRecord(
        template,
        rotation,
        frames,
        consent,
        tenancy,
        day,
        ends_unix,
        under_14=bool(flags & _UNDER_14),
        paused=bool(flags & _PAUSED),
        covered=bool(flags & _COVERED),
        worth=worth,
        length=length,
        sittings=1 + more,
    )
    _check_sittings(face)
    return face


def _check_sittings(record: FaceRecord) -> None:
    one = record.sittings == 1
    if not one and not (1 < record.sittings <= min(MOST_SITTINGS, record.frames) and record.length):
        raise RecordRefused("a face record joins sittings that cannot be")


def _flags(record: FaceRecord) -> int:
    paused, under_14 = _PAUSED if record.paused else 0, _UNDER_14 if record.under_14 else 0
    covered = _COVERED if record.covered else 0
    return paused | under_14 | covered | (record.sittings - 1) << _MORE_SITTINGS


def unit_vector(data: bytes) -> Vector | None:
    """The 128 numbers in `data` if they are finite and of Euclidean length 1, else None."""
    if len(data) != EMBEDDING_BYTES:
        return None
    vector = np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False)
    if not np.isfinite(vector).all():
        return None
    # In double precision: the squares of finite float32 numbers overflow float32.
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    return vector if abs(norm - 1.0) <= _NORM_TOLERANCE else None


def vector_of(face: FaceRecord) -> Vector:
    """The unit vector that the template of `face` is. Raises RecordRefused."""
    vector = unit_vector(face.template)
    if vector is None:
        raise RecordRefused("a face record holds no unit template")
    return vector


def to_bytes(vector: Vector) -> bytes:
    """The wire form of `vector` (128 little-endian float32)."""
    if vector.shape != (EMBEDDING_DIM,):
        raise RecordRefused(f"a template has {EMBEDDING_DIM} numbers")
    return vector.astype("<f4", copy=False).tobytes()
