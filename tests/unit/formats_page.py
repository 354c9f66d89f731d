"""docs/formats.md as the tests read it: its sections, tables and vectors, and the few things that all of them name."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path

from device.codec import Blob, DigitText, Exactly, Field, Member, Number, YesNo
from device.consent import Notice, Terms

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
DOOR = bytes.fromhex("00112233445566aa")
Row = dict[str, str]


def count(start: int, size: int) -> bytes:
    """`size` bytes that count up from `start`."""
    return bytes(range(start, start + size))


def section(title: str) -> str:
    """The text below a heading, up to the next heading of any level."""
    found = re.search(rf"^#+ {re.escape(title)}[^\n]*\n(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"the page has no section {title}"
    return found[1]


def tables(text: str) -> list[list[Row]]:
    """Every table of `text`, its rows by the names of the columns."""
    found = []
    for block in re.findall(r"(?:^\|[^\n]*\n)+", text, re.MULTILINE):
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        found.append([dict(zip(lines[0], line, strict=True)) for line in lines[2:]])
    return found


def vectors(text: str) -> list[bytes]:
    """Every block of hexadecimal digits in `text`."""
    return [bytes.fromhex("".join(block.split())) for block in re.findall(r"```text\n([0-9a-f\n]+)```", text)]


def layout(rows: list[Row]) -> list[tuple[int, int]]:
    """Offset and size of each row that states both."""
    return [(int(row["offset"]), int(row["size"])) for row in rows if row["size"]]


def of_struct(form: str) -> list[tuple[int, int]]:
    """Offset and size of each item of a little-endian struct format, pad bytes included."""
    found, offset = [], 0
    for item in re.findall(r"\d*[a-zA-Z]", form.lstrip("<")):
        size = struct.calcsize("<" + item)
        found.append((offset, size))
        offset += size
    return found


FORMS = {"B": "u8", "H": "u16", "I": "u32", "q": "i64"}


def form_of(field: Field) -> str:
    """What the page calls the byte form of a field."""
    match field:
        case Number(code):
            return FORMS[code]
        case Exactly():
            return "bytes"
        case DigitText():
            return "digits"
        case Blob():
            return "blob"
        case Member(enum):
            return enum.__name__
        case YesNo():
            return "bool"
    raise AssertionError(field)


def personal(data: bytes, size: int, person: bytes, key: bytes = b"") -> bytes:
    """BLAKE2b as the page writes it, from hashlib instead of libsodium."""
    return hashlib.blake2b(data, digest_size=size, key=key, person=person.ljust(16, b"\0")).digest()


def terms_of_the_page(model: bytes) -> Terms:
    """The example of "The hash of the terms"."""
    notice = Notice("notice-0", ("One.\n", "另一个。\n"))
    budget = "at most 1 false opens a year at 5 strangers a day; face+pin"
    return Terms(notice, "Opening this door.", "Until you erase it.", model, budget)


def spellings() -> list[tuple[str, bool]]:
    """Texts with the receipt of "Armour" in them, and whether it is to be read: for the door and the second reader."""
    text = section("Armour").split("```text\n")[1].split("```")[0]
    first, *letters, last = text.splitlines()
    joined, begin, end = "".join(letters), "-----BEGIN DOORWARD ", "-----END DOORWARD "
    broken = text.replace("RFdS", "RF-S", 1)
    other = f"{begin}KEY-----\nAAAA\n{end}KEY-----\n"
    return [
        (text, True),
        (text.replace("\n", "\r\n"), True),
        (f"> {text.strip()} <", True),  # not at the beginning of a line
        (f"{first}\n\n{joined}{last}", True),  # an empty line, and none at all before the end
        ("\n".join([first, *joined, last]), True),
        (broken + text, True),  # no such place: passed over
        (text.replace(end + "RECEIPT", end + "CONSENT") + text, True),
        (other.lower() + text, True),
        (broken, False),
        (other + text, False),  # taken, and refused: no other is looked for
        (text.replace("RFdS", "SFdS", 1) + text, False),
        (text.replace("RECEIPT", "CONSENT"), False),
        (text.replace("RECEIPT", "LETTER OF RECEIPT"), False),
        (text.replace("Aw==", "Aw="), False),
        (text.replace("Aw==", "Aw==="), False),
        (text.replace("Aw==", "Ax=="), False),
        (text.replace("\n", "\r"), False),
        (text.replace(first + "\n", first), False),
        (text.replace("RFdS", "RF dS"), False),
        (text.replace("RFdS", "RF\tdS"), False),
        ("", False),
    ]


SPELLINGS = spellings()
