"""Bytes that nobody would send: honest ones, changed the way disks, cables and attackers change them.

Rules kept here:
- The same random numbers give the same bytes.
- Changes are small and few, so that most of what a parser checks first still holds and the rest of it is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x22, 0x2D, 0x30, 0x3D, 0x5B)
_WORDS: tuple[bytes, ...] = (
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"[[",
    b"]]",
    b'"',
    b"=",
    b"\n",
    b"nan",
    b"inf",
    b"-",
    b"0x",
    b"{}",
)
_WORDS += (
    b"99999999999999999999",
    b"1e400",
    b"true",
    b"\xc3\x28",
    b"\x00",
    b"0x" + b"f" * 5000,
    b"[" * 1500,
    b"9" * 5000,
)
_MOST_CHANGES = 4


def garbled(honest: Sequence[bytes], random: Random) -> bytes:
    """One of `honest`, changed in one to four places."""
    data = bytearray(honest[int(random.random() * len(honest))])
    for _ in range(1 + int(random.random() ** 2 * _MOST_CHANGES)):
        random.choice(_CHANGES)(data, honest, random)
    return bytes(data)


def _at(data: bytearray, random: Random) -> int:
    return int(random.random() * len(data)) if data else 0


def _bit(data: bytearray, _honest: Sequence[bytes], random: Random) -> None:
    if data:
        data[_at(data, random)] ^= 1 << int(random.random() * 8)


def _byte(data: bytearray, _honest: Sequence[bytes], random: Random) -> None:
    if data:
        data[_at(data, random)] = random.choice(_EDGES)


def _cut(data: bytearray, _honest: Sequence[bytes], random: Random) -> None:
    del data[_at(data, random) :]


def _gap(data: bytearray, _honest: Sequence[bytes], random: Random) -> None:
    at = _at(data, random)
    del data[at : at + 1 + int(random.random() * 16)]


def _word(data: bytearray, _honest: Sequence[bytes], random: Random) -> None:
    at = _at(data, random)
    data[at:at] = random.choice(_WORDS)


def _over(data: bytearray, _honest: Sequence[bytes], random: Random) -> None:
    """Written over, so that the length stays."""
    word, at = random.choice(_WORDS[:4]), _at(data, random)
    data[at : at + len(word)] = word[: len(data) - at]


def _twice(data: bytearray, _honest: Sequence[bytes], random: Random) -> None:
    at = _at(data, random)
    data[at:at] = data[at : at + 1 + int(random.random() * 64)]


def _spliced(data: bytearray, honest: Sequence[bytes], random: Random) -> None:
    other, at = random.choice(honest), _at(data, random)
    data[at:] = other[at:]


def _noise(data: bytearray, _honest: Sequence[bytes], random: Random) -> None:
    at = _at(data, random)
    length = min(len(data) - at, 1 + int(random.random() * 8))
    data[at : at + length] = random.randbytes(length)


_Change = Callable[[bytearray, Sequence[bytes], Random], None]
_CHANGES: tuple[_Change, ...] = (_bit, _bit, _byte, _byte, _over, _noise, _cut, _gap, _word, _twice, _spliced)
