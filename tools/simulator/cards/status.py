"""What a card says besides data: status words, and the ways an exchange with it ends.

Rules kept here:
- A native status is one byte; on the wire it follows 91 (NT4H2421Gx table 23, MF2DL(H)x0 table 23). An ISO 7816-4
  status is two bytes of its own.
"""

from __future__ import annotations

from enum import IntEnum

from device.errors import Fault, Refusal


class Status(IntEnum):
    """Native status codes."""

    OK = 0x00
    NO_CHANGES = 0x0C
    OUT_OF_MEMORY = 0x0E
    ILLEGAL_COMMAND = 0x1C
    INTEGRITY = 0x1E
    NO_SUCH_KEY = 0x40
    LENGTH = 0x7E
    PERMISSION_DENIED = 0x9D
    PARAMETER = 0x9E
    APPLICATION_NOT_FOUND = 0xA0
    AUTHENTICATION = 0xAE
    MORE = 0xAF
    BOUNDARY = 0xBE
    ABORTED = 0xCA
    COUNT = 0xCE
    DUPLICATE = 0xDE
    FILE_NOT_FOUND = 0xF0


class Iso(IntEnum):
    """ISO 7816-4 status words."""

    OK = 0x9000
    WRONG_LENGTH = 0x6700
    CONDITIONS = 0x6985
    NOT_SUPPORTED = 0x6A81
    NOT_FOUND = 0x6A82
    WRONG_PARAMETERS = 0x6A86
    NO_SUCH_INSTRUCTION = 0x6D00
    NO_SUCH_CLASS = 0x6E00


class Refused(Exception):
    """The card refuses a native command with `status`; its session ends."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"the card answers {status.name} ({status:02X})")
        self.status = status


class CardGone(Fault, ConnectionError):
    """The card has left the field: there is nobody to answer."""


class CardFileRefused(Refusal, ValueError):
    """A file that should hold a card does not, or cannot be read or written."""
