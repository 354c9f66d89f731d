"""What the tests of vault share: a door, its terms, directions for faces, and names of grants and tenancies."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np

from device.consent import Notice, Terms
from device.sealing.store import Binding
from device.strength import KeyPlace
from device.vault.credentials import Place
from device.vault.record import NewFace, Vector
from device.vault.signing import Signer, signing_key
from device.wire import NO_END

MODEL, COVERED_MODEL = b"m" * 32, b"c" * 32
BINDING = Binding(b"one door", "face", MODEL)
ROOT_KEY = b"r" * 32
FOLDER = Path("/state")
THRESHOLD = 0.5
FRAMES = 3
SECOND = 1_000_000_000
GRACE_NS = 3600 * SECOND
TODAY = 20_000
TERMS = Terms(Notice("a notice", ("in English", "and in Chinese")), "the purpose", "the retention", MODEL, "a class")
CONSENT = TERMS.hash
SIGNER = Signer(BINDING.door, signing_key(ROOT_KEY), TERMS, KeyPlace.FILE_HOST_KEY)


def unit(seed: int) -> Vector:
    """A random direction: two of them have a cosine near 0 in 128 dimensions."""
    vector = np.random.default_rng(seed).normal(size=128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def at_cosine(vector: Vector, cosine: float, seed: int = 999) -> Vector:
    """A unit vector whose cosine with `vector` is `cosine`."""
    base = vector.astype(np.float64)
    other = unit(seed).astype(np.float64)
    other -= (other @ base) * base
    other /= np.linalg.norm(other)
    mixed: Vector = (cosine * base + np.sqrt(1 - cosine**2) * other).astype(np.float32)
    return mixed


def nonce() -> bytes:
    return secrets.token_bytes(16)


def tenancy_of(slot: int, tenant: int = 1) -> bytes:
    """The name of the offer under which the `tenant`-th tenant of `slot` moved in."""
    return slot.to_bytes(8, "little") + tenant.to_bytes(8, "little")


def new_face(face: Vector, frames: int = 5, tenancy: bytes = b"t" * 16, ends_unix: int = NO_END) -> NewFace:
    """A face as an enrolment ends."""
    consent = SIGNER.consent(TODAY, under_14=False)
    return NewFace(face.astype("<f4").tobytes(), frames, consent, Place(tenancy, ends_unix), TODAY, under_14=False)
