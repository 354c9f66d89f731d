"""Take off what somebody may have wrapped around a secret: base64, hexadecimal, compression, escapes, order.

Rules kept here:
- Compression is looked for at every single byte. A zlib or gzip stream holds a bare deflate stream, so trying that one
  everywhere finds all three, and whatever comes out before an error is kept.
- Nothing is believed about where an encoding begins: every place of a group is tried.
- Wrappings within wrappings are followed: text in compression in text.

Sources: RFC 1950 to 1952 (zlib, deflate, gzip), RFC 4648 (base64, hexadecimal), RFC 8259 section 7 (escapes of JSON).
"""

from __future__ import annotations

import binascii
import bz2
import contextlib
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator

LONGEST = 1 << 16  # bytes that are taken out of one compressed stream
SHORTEST = 4  # below the shortest form of a canary
_TEXT = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_BROKEN_TEXT = re.compile(rb"(?:[A-Za-z0-9+/_-]+[\r\n]+)+[A-Za-z0-9+/_-]+")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}[ :,-]?){4,}")
_ESCAPE = re.compile(rb"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|%([0-9A-Fa-f]{2})|&#([0-9]{1,3});")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_BREAKS = re.compile(rb"[\s:,;.\"'\[\]{}-]+")


def everything(texts: Iterable[bytes]) -> set[bytes]:
    """`texts`, and all that they may hold wrapped."""
    plain = set(texts)
    decoded = {each for text in plain for each in decoded_of(text)}
    inflated = {each for text in plain | decoded for each in inflated_of(text)}
    again = {each for text in inflated for each in encoded_in(text)}
    return plain | decoded | inflated | again


def decoded_of(text: bytes) -> Iterator[bytes]:
    """What base64, hexadecimal, escapes, separators, wide characters and the other order may hide in `text`."""
    yield text[::-1]
    yield from encoded_in(text)
    if _ESCAPE.search(text):
        yield _ESCAPE.sub(_unescaped, text)
    if b"\0" in text:
        yield text[::2]
        yield text[1::2]
    without = _BREAKS.sub(b"", text)
    if without != text:
        yield without


def encoded_in(text: bytes) -> Iterator[bytes]:
    """What stands in base64 or hexadecimal in `text`."""
    for run in (*_TEXT.findall(text), *(_BREAKS.sub(b"", each) for each in _BROKEN_TEXT.findall(text))):
        yield from _from_base64(run)
    for run in _HEX.findall(text):
        letters = re.sub(rb"[^0-9A-Fa-f]", b"", run)
        for first in (0, 1):
            part = letters[first:]
            yield binascii.unhexlify(part[: len(part) & ~1])


def inflated_of(text: bytes) -> Iterator[bytes]:
    """Whatever comes out of `text` by inflating it from any byte on."""
    view = memoryview(text)
    for at, first in enumerate(text):
        # The two bits behind the lowest name the kind of the first block, and 3 is none (RFC 1951, 3.2.3). A stored
        # block carries its length twice, the second time inverted.
        kind = first >> 1 & 3
        if kind == 3 or (kind == 0 and not _stored(text, at)):
            continue
        machine = zlib.decompressobj(-15)
        out = _as_far_as_it_goes(machine, view[at : at + LONGEST])
        if len(out) >= SHORTEST:
            yield out
    for mark, opener in ((b"BZh", bz2.BZ2Decompressor), (b"\xfd7zXZ", lzma.LZMADecompressor)):
        at = text.find(mark)
        while at >= 0:
            with contextlib.suppress(OSError, lzma.LZMAError, EOFError):
                yield opener().decompress(text[at:], LONGEST)
            at = text.find(mark, at + 1)


def _stored(text: bytes, at: int) -> bool:
    # The header's three bits end its byte: length and its inverse begin at the next.
    size, inverse = text[at + 1 : at + 3], text[at + 3 : at + 5]
    return len(inverse) == 2 and all(one ^ other == 0xFF for one, other in zip(size, inverse, strict=True))


def _as_far_as_it_goes(machine: zlib._Decompress, data: memoryview) -> bytes:
    """What comes out before the end or an error, at most LONGEST bytes."""
    try:
        return machine.decompress(data, LONGEST)
    except zlib.error:
        pass
    # An error takes back what the same call had made: go again in small steps. Most attempts end within a few bytes.
    again = zlib.decompressobj(-15)
    out = bytearray()
    try:
        for at in range(0, len(data), 1):
            out += again.decompress(data[at : at + 1])
            if len(out) >= LONGEST:
                break
    except zlib.error:
        pass
    return bytes(out)


def _from_base64(run: bytes) -> Iterator[bytes]:
    run = run.translate(_STANDARD)
    for first in range(4):
        part = run[first:]
        part = part[: len(part) - (1 if len(part) % 4 == 1 else 0)]
        if len(part) >= SHORTEST:
            yield binascii.a2b_base64(part + b"=" * (-len(part) % 4))


def _unescaped(found: re.Match[bytes]) -> bytes:
    wide, narrow, percent, decimal = found.groups()
    number = int(decimal) if decimal else int(wide or narrow or percent, 16)
    return chr(number).encode("utf-8", "replace")
