"""Of a Cookie header only what could be ours is left, in time that grows with its length."""

from __future__ import annotations

import time

import pytest

from device.cookies import plain


def left(value: bytes) -> bytes:
    assert plain([(b"host", b'"\\"'), (b"cookie", value)])[0] == (b"host", b'"\\"'), "no other header is touched"
    return dict(plain([(b"cookie", value)]))[b"cookie"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"__Host-sitting=AZaz09_-; __Host-language=zh", b"__Host-sitting=AZaz09_-; __Host-language=zh"),
        (b"a=1;b=2 ;  c=", b"a=1; b=2; c="),
        (b'theirs="quoted \\"words\\""; __Host-sitting=ours; x=a.b', b"__Host-sitting=ours"),
        (b"=x; x; ; a=b=c; \xff=1; a=\xff", b""),
        (b"a=" + b"x" * 257, b""),
    ],
)
def test_what_could_not_be_ours_is_dropped_and_what_could_is_kept(value: bytes, kept: bytes) -> None:
    assert left(value) == kept


@pytest.mark.parametrize(
    "value", [b'"' + b"\\" * 1_000_000 + b'"', b";" * 1_000_000, b"a=" * 500_000, b"a" * 1_000_000]
)
def test_a_megabyte_is_read_at_once(value: bytes) -> None:
    began_s = time.monotonic()
    assert left(b"__Host-sitting=" + value) in (b"", b"__Host-sitting=")
    assert time.monotonic() - began_s < 5.0, "squares of such a length take hours"
