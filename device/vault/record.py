"""What is held about one face: the payload of a sealed record.

Rules kept here:
- Nothing but what the comparison and the consent need: no picture, no name, no time of day; the day is coarse.
- A template is a unit vector of 128 finite float32 numbers, checked whenever one comes in, from disk or from eye.
- Parsing accepts exactly what packing makes.

Byte form (version 1, 568 bytes, little-endian): version (u8) | flags (u8, bit 0: paused) | frames averaged (u8) |
zero (1) | day of enrolment, days since 1970-01-01 UTC (u32) | sha256 of the consented notice (32) |
tenancy (16) | template (128 x float32).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.errors import RecordRefused
from device.wire import EMBEDDING_BYTES, EMBEDDING_DIM, NO_TENANCY

Vector = NDArray[np.float32]

NO_CONSENT = bytes(32)
_VERSION = 1
_PAUSED = 1
_FORM = struct.Struct(f"<BBBxI32s16s{EMBEDDING_BYTES}s")
RECORD_BYTES = _FORM.size
# Float32 normalisation of 128 numbers errs below 1e-6; the bound leaves room for an int8 network's rounding.
_NORM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One enrolled face. `template` is the wire form (little-endian float32), so that records compare and hash.

    `tenancy` (16 bytes) names the offer under which its slot was taken when the face was enrolled.
    """

    template: bytes = field(repr=False)
    frames: int
    consent: bytes
    tenancy: bytes = field(repr=False)
    enrolled_day: int
    paused: bool = False


def pack(record: FaceRecord) -> bytes:
    """The payload of `record`. Raises RecordRefused if a field does not fit."""
    if len(record.consent) != len(NO_CONSENT) or unit_vector(record.template) is None:
        raise RecordRefused("a face record needs a unit template and the hash of a consent")
    if len(record.tenancy) != len(NO_TENANCY) or record.tenancy == NO_TENANCY:
        raise RecordRefused("a face record needs the tenancy it belongs to")
    try:
        flags = _PAUSED if record.paused else 0
        day, consent, tenancy = record.enrolled_day, record.consent, record.tenancy
        return _FORM.pack(_VERSION, flags, record.frames, day, consent, tenancy, record.template)
    except struct.error as cause:
        raise RecordRefused("a number in a face record is out of range") from cause


def parse(payload: bytes) -> FaceRecord:
    """The record in `payload`. Raises RecordRefused for everything `pack` would not make."""
    if len(payload) != RECORD_BYTES:
        raise RecordRefused(f"a face record holds {RECORD_BYTES} bytes, not {len(payload)}")
    version, flags, frames, day, consent, tenancy, template = _FORM.unpack(payload)
    if version != _VERSION or flags & ~_PAUSED or payload[3]:
        raise RecordRefused("a face record is of a version this door does not read")
    if unit_vector(template) is None:
        raise RecordRefused("a face record holds no unit template")
    if tenancy == NO_TENANCY:
        raise RecordRefused("a face record names no tenancy")
    return FaceRecord(template, frames, consent, tenancy, day, paused=bool(flags & _PAUSED))


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


def to_bytes(vector: Vector) -> bytes:
    """The wire form of `vector` (128 little-endian float32)."""
    if vector.shape != (EMBEDDING_DIM,):
        raise RecordRefused(f"a template has {EMBEDDING_DIM} numbers")
    return vector.astype("<f4", copy=False).tobytes()
