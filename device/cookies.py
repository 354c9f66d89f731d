"""The cookies of a request, as far as they could be ours. Pure.

Rules kept here:
- What we set is letters, digits, `-` and `_`. Whatever else a Cookie header says is dropped before anything reads it,
  in time that grows with its length and no faster: Python's own reader of quoted values took two seconds for fifteen
  thousand backslashes (CVE-2024-7592; mended in Python 3.11.10, and not in every system that is out there).
- A cookie of somebody else's page at the same address is no reason to refuse: browsers send those of all its ports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_OURS = re.compile(rb"[A-Za-z0-9_-]{1,64}=[A-Za-z0-9_-]{0,256}")

Headers = Iterable[tuple[bytes, bytes]]


def plain(headers: Headers) -> list[tuple[bytes, bytes]]:
    """`headers` as ASGI has them (names in small letters), with only such cookies as could be ours."""
    return [(name, _plain(value) if name == b"cookie" else value) for name, value in headers]


def _plain(value: bytes) -> bytes:
    return b"; ".join(part for each in value.split(b";") if _OURS.fullmatch(part := each.strip()))
