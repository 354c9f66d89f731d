"""What must not leave: each canary, in the forms in which somebody might have written it down.

Rules kept here:
- A form is what stands on the wire; which encodings lie around it is `unwrap`'s business as well, so that most leaks
  are found in two ways that share no code.
- Every form knows how likely it is to stand somewhere by chance: in random bytes, in random base64, in random
  hexadecimal and in random decimal digits. Short ones (a slot of four digits) count only as a word of their own, with
  no other digit or letter of a hexadecimal number beside them.
- A vector is looked for in pieces of 16 numbers in the usual widths, and by its signs; `correlation` looks for what is
  merely like it.

Base64: RFC 4648. A piece of a longer text begins at any of three places of a group, and only letters that its own bits
fill entirely are looked for; so padding or its absence makes no difference.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

PIECE: Final = 16
MOST_IN_THREE_BYTES: Final = 6  # digits; three bytes stand anywhere by chance
SHORTEST_INSIDE: Final = 6  # bytes
SHORT_DIGITS: Final = 5  # up to so many digits stand only for themselves as a word of their own
HEX: Final = frozenset(b"0123456789abcdefABCDEF")
BASE64: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
DECIMAL: Final = frozenset(b"0123456789")

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Form:
    """One spelling. `word`: only where no hexadecimal digit stands beside it."""

    name: str
    content: bytes = field(repr=False)
    word: bool = False

    @property
    def chances(self) -> dict[str, float]:
        """How likely one place of random content of a kind holds it, by kind (the alphabets below)."""
        length = len(self.content)
        beside = {"bytes": (256 - len(HEX)) / 256, "base64": (64 - len(HEX)) / 64}
        found = {"bytes": 256.0**-length * (beside["bytes"] ** 2 if self.word else 1)}
        letters = set(self.content)
        if letters <= BASE64:
            found["base64"] = 64.0**-length * (beside["base64"] ** 2 if self.word else 1)
        if letters <= HEX and not self.word:
            # One case at a time: a text of hexadecimal digits keeps to one.
            found["hex"] = 16.0**-length
        if letters <= DECIMAL:
            found["decimal"] = 10.0**-length
        return found


@dataclass(frozen=True, slots=True)
class Canary:
    """One thing that must not leave; `name` says what it is, never what it is worth."""

    name: str
    forms: tuple[Form, ...] = field(repr=False)


def digits(name: str, text: str) -> Canary:
    """Something of digits: a PIN, a code, an invitation, a guests' secret, a slot."""
    if not text.isascii() or not text.isdigit():
        msg = f"{name} is not made of digits"
        raise ValueError(msg)
    short = len(text) < SHORT_DIGITS
    number = int(text)
    width = 4 if number < 1 << 32 else 8
    binary = [Form(f"integer, {order} end first", number.to_bytes(width, order)) for order in ("little", "big")]
    if number < 256:
        binary = []  # three zeros and a byte stand everywhere
    plain = [Form("text", text.encode(), word=short)]
    if not short:
        plain.append(Form("digits as bytes", bytes(int(digit) for digit in text)))
        if len(text) > MOST_IN_THREE_BYTES:
            plain.append(Form("packed digits", bytes.fromhex(text if len(text) % 2 == 0 else f"0{text}")))
        plain.append(Form("hexadecimal number", f"{number:x}".encode()))
        plain.append(Form("Hexadecimal number", f"{number:X}".encode()))
    return Canary(name, tuple(_all((*plain, *_wide(text), *binary))))


def secret(name: str, content: bytes) -> Canary:
    """Something of bytes: a key, a number of a card, an id."""
    decimal = str(int.from_bytes(content, "big"))
    forms = [Form("bytes", content), Form("decimal number", decimal.encode()), *_wide(content.hex())]
    return Canary(name, tuple(_all(forms)))


def vector(name: str, numbers: Vector) -> Canary:
    """A face as numbers: an embedding, a template; (n,) float32. Raises ValueError for one without a direction."""
    forms: list[Form] = []
    largest = float(np.abs(numbers).max(initial=0))
    if len(numbers) < PIECE or not 0 < largest < np.inf:
        msg = f"{name} is no vector to look for: it needs {PIECE} finite numbers that are not all zero"
        raise ValueError(msg)
    whole: dict[str, bytes] = {}
    for kind in ("<f4", ">f4", "<f8", ">f8", "<f2", ">f2"):
        whole[f"float {kind}"] = numbers.astype(kind).tobytes()
    for scale in (127.0, 128.0, 127.0 / largest, 255.0, 256.0):
        whole[f"int8 by {scale:.0f}"] = np.clip(np.rint(numbers * scale), -128, 127).astype(np.int8).tobytes()
        whole[f"uint8 by {scale:.0f}"] = np.clip(np.rint(numbers * scale) + 128, 0, 255).astype(np.uint8).tobytes()
    for title, content in whole.items():
        width = len(content) // len(numbers) * PIECE
        forms += [Form(title, content[at : at + width]) for at in range(0, len(content) - width + 1, width)]
    for order in ("big", "little"):
        signs = np.packbits(numbers > 0, bitorder=order).tobytes()
        forms += [Form(f"signs, {order}", signs), Form(f"signs, {order}, inverted", bytes(255 - s for s in signs))]
    return Canary(name, tuple(_all(forms)))


def _wide(text: str) -> list[Form]:
    return [Form("UTF-16 LE", text.encode("utf-16-le")), Form("UTF-16 BE", text.encode("utf-16-be"))]


def _all(forms: tuple[Form, ...] | list[Form]) -> Iterator[Form]:
    """Each form as it is, in base64 at each place of a group, and in hexadecimal; none twice."""
    seen: set[tuple[bytes, bool]] = set()
    for form in forms:
        # What is shorter than this in base64 stands in any base64 by chance; `unwrap` decodes it instead.
        inside = () if len(form.content) < SHORTEST_INSIDE else (*_in_base64(form), *_in_hex(form))
        for each in (form, *inside):
            if (each.content, each.word) not in seen:
                seen.add((each.content, each.word))
                yield each


def _in_base64(form: Form) -> Iterator[Form]:
    for before in range(3):
        text = base64.b64encode(bytes(before) + form.content)
        first = (before * 8 + 5) // 6  # letters that bits of an unknown neighbour share
        core = text[first : (before + len(form.content)) * 8 // 6]
        yield Form(f"{form.name} in base64 at {before}", core)
        yield Form(f"{form.name} in urlsafe base64 at {before}", core.translate(bytes.maketrans(b"+/", b"-_")))


def _in_hex(form: Form) -> Iterator[Form]:
    yield Form(f"{form.name} in hexadecimal", form.content.hex().encode())
    yield Form(f"{form.name} in Hexadecimal", form.content.hex().upper().encode())


def pattern(form: Form) -> re.Pattern[bytes]:
    """What finds a form that must stand as a word."""
    return re.compile(rb"(?<![0-9A-Fa-f])" + re.escape(form.content) + rb"(?![0-9A-Fa-f])")
