"""The turn that every template and every probe of a door goes through: a random rotation that only this door knows.

Rules kept here:
- The matrix follows from the secret alone, and two secrets have nothing to do with each other: what one door holds
  says nothing about where the same face lies at another door, or here after a rekey.
- Angles stay as they are, and so does every score, up to float32 rounding: nobody is recognised better or worse.
- A template carries the tag of its rotation, so that one of an older rotation is refused, not compared; that of a
  covered face the tag of the rotation and of what it means (`device.meaning`), so that one of an older way to cut
  covered faces is not compared either.
- Neither the secret nor the matrix is printed, logged or compared.

What this does not do: whoever has the secret turns a template back exactly (docs/attacks.md, ADR 9).

The matrix is drawn evenly (by Haar measure) from all rotations and reflections of 128 dimensions: Q of the
QR decomposition of a matrix of independent Gaussians, with the diagonal of R made positive, without which Q would not
be even (Mezzadri, "How to Generate Random Matrices from the Classical Compact Groups", Notices of the AMS 54, 2007).
The Gaussians are made by Box and Muller's method (1958) from SHAKE-256 (FIPS 202) of the secret.

The bytes of SHAKE-256 are the same everywhere. Logarithm, sine, cosine and QR may be rounded otherwise by another
library or processor: a matrix made after an update then differs in its last digits. tests/unit/vault/test_rotation.py
moves every Gaussian by more than libraries differ, and finds a template moved by less than float32 can hold.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from device.errors import KeyFault, RecordRefused
from device.vault.record import TAG_BYTES, Vector
from device.wire import EMBEDDING_DIM

SECRET_BYTES = 32
# Of one length, so that no secret can make the input of one use the input of another.
_MATRIX_DOMAIN = b"doorward/template-rotation/matrix/1"
_TAG_DOMAIN = b"doorward/template-rotation/tag/1///"
_MEANING_DOMAIN = b"doorward/template-rotation/mean/1//"
_UNIFORM_BITS = 53  # the significand of a double

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """One turn of 128 dimensions. `tag` (8 bytes) names it without telling anything about it."""

    tag: bytes
    _matrix: Matrix = field(repr=False)  # 128 x 128, orthogonal, never written to

    @classmethod
    def of(cls, secret: bytes) -> Rotation:
        """The rotation that follows from `secret`, 32 random bytes. Raises KeyFault for any other length."""
        if len(secret) != SECRET_BYTES:
            raise KeyFault(f"the secret of a rotation has {SECRET_BYTES} bytes, not {len(secret)}")
        matrix = orthogonal(gaussians(secret))
        matrix.flags.writeable = False
        return cls(hashlib.shake_256(_TAG_DOMAIN + secret).digest(TAG_BYTES), matrix)

    def tag_of(self, meaning: bytes) -> bytes:
        """The tag (8 bytes) of templates turned by this that mean `meaning` (32 bytes); with none, of bare faces."""
        return hashlib.shake_256(_MEANING_DOMAIN + self.tag + meaning).digest(TAG_BYTES) if meaning else self.tag

    def apply(self, vector: Vector) -> Vector:
        """`vector` (128 finite float32, not all zero) turned, at length 1. Raises RecordRefused for anything else."""
        return _turned(self._matrix, vector)

    def undo(self, vector: Vector) -> Vector:
        """`vector` turned back, at length 1. Raises RecordRefused as `apply` does."""
        return _turned(self._matrix.T, vector)


def gaussians(secret: bytes) -> Matrix:
    """128 x 128 independent standard normal numbers that follow from `secret`."""
    count = EMBEDDING_DIM * EMBEDDING_DIM
    stream = hashlib.shake_256(_MATRIX_DOMAIN + secret).digest(8 * count)
    words = np.frombuffer(stream, dtype="<u8") >> np.uint64(64 - _UNIFORM_BITS)
    # In (0, 1], exactly: a logarithm of zero cannot occur.
    uniform = (words.astype(np.float64) + 1.0) * 2.0**-_UNIFORM_BITS
    radius = np.sqrt(-2.0 * np.log(uniform[: count // 2]))
    angle = 2.0 * np.pi * uniform[count // 2 :]
    both: Matrix = np.concatenate((radius * np.cos(angle), radius * np.sin(angle)))
    return both.reshape(EMBEDDING_DIM, EMBEDDING_DIM)


def orthogonal(normal: Matrix) -> Matrix:
    """The orthogonal factor of `normal` (n x n Gaussians) whose triangular factor has a positive diagonal."""
    factor, triangular = np.linalg.qr(normal)
    matrix: Matrix = factor * np.where(np.diagonal(triangular) < 0, -1.0, 1.0)
    return matrix


def _turned(matrix: Matrix, vector: Vector) -> Vector:
    # What is not finite makes its square so; a square that is too large for float32 is looked at number by number.
    if vector.shape != (EMBEDDING_DIM,) or not (math.isfinite(vector.dot(vector)) or np.isfinite(vector).all()):
        raise RecordRefused(f"a template has {EMBEDDING_DIM} finite numbers")
    turned = matrix @ vector.astype(np.float64)
    # Anew each time, in double precision: float32 leaves a length beside 1, and over many rekeys that must not add up.
    length = math.sqrt(turned.dot(turned))  # what np.linalg.norm computes, in a third of its time
    if length == 0.0:
        raise RecordRefused("a template that is all zero has no direction to turn")
    turned /= length
    return turned.astype(np.float32)
