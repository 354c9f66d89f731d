"""Which instruction is of which kind."""

from __future__ import annotations

import pytest

from tools.arm64.kinds import ENCODINGS, Encoding, Kind, arguments, kind_of

# What GNU as 2.40 (binutils-aarch64-linux-gnu, -march=armv8.6-a+fp16) makes of the text, and the kind it is of.
ASSEMBLED = (
    ("sdot v1.4s, v2.16b, v3.16b", 0x4E839441, Kind.DOT),
    ("udot v31.2s, v2.8b, v3.8b", 0x2E83945F, Kind.DOT),
    ("sdot v1.4s, v2.16b, v3.4b[3]", 0x4FA3E841, Kind.DOT),
    ("udot v1.4s, v22.16b, v13.4b[2]", 0x6F8DEAC1, Kind.DOT),
    ("smmla v1.4s, v2.16b, v3.16b", 0x4E83A441, Kind.MATRIX),
    ("ummla v1.4s, v2.16b, v3.16b", 0x6E83A441, Kind.MATRIX),
    ("fmla v1.4s, v2.4s, v3.4s", 0x4E23CC41, Kind.FLOAT32),
    ("fmla v1.4s, v2.4s, v3.s[3]", 0x4FA31841, Kind.FLOAT32),
    ("fmla v1.8h, v2.8h, v3.8h", 0x4E430C41, Kind.FLOAT16),
    ("fmla v1.8h, v2.8h, v3.h[7]", 0x4F331841, Kind.FLOAT16),
    ("smull v1.8h, v2.8b, v3.8b", 0x0E23C041, Kind.WIDENING),
    ("smull2 v1.8h, v2.16b, v3.16b", 0x4E23C041, Kind.WIDENING),
    ("smlal v1.8h, v2.8b, v3.8b", 0x0E238041, Kind.WIDENING),
    ("smlal v1.4s, v2.4h, v3.h[2]", 0x0F632041, Kind.WIDENING),
    ("smlal2 v1.4s, v2.8h, v3.8h", 0x4E638041, Kind.WIDENING),
    ("smull v1.4s, v2.4h, v3.h[2]", 0x0F63A041, Kind.WIDENING),
    ("umlal v1.8h, v2.8b, v3.8b", 0x2E238041, Kind.WIDENING),
    ("fmls v1.4s, v2.4s, v3.4s", 0x4EA3CC41, None),
    ("sadalp v1.4s, v2.8h", 0x4E606841, None),
    ("mla v1.4s, v2.4s, v3.4s", 0x4EA39441, None),
    ("mul v1.4s, v2.4s, v3.4s", 0x4EA39C41, None),
    ("fmul v1.4s, v2.4s, v3.4s", 0x6E23DC41, None),
    ("fmul v1.4s, v2.4s, v3.s[1]", 0x4FA39041, None),
    ("add v1.4s, v2.4s, v3.4s", 0x4EA38441, None),
    ("ldr q0, [x1]", 0x3DC00020, None),
    ("add x1, x2, x3", 0x8B030041, None),
    ("sqdmulh v1.4s, v2.4s, v3.4s", 0x4EA3B441, None),
    ("sqdmull v1.4s, v2.4h, v3.4h", 0x0E63D041, None),
    ("sqdmlal v1.4s, v2.4h, v3.4h", 0x0E639041, None),
    ("usdot v1.4s, v2.16b, v3.16b", 0x4E839C41, None),
    ("sqrdmulh v1.8h, v2.8h, v3.h[1]", 0x4F53D041, None),
    ("fmulx v1.4s, v2.4s, v3.4s", 0x4E23DC41, None),
    ("fmadd s0, s1, s2, s3", 0x1F020C20, None),
)


@pytest.mark.parametrize(("text", "word", "kind"), ASSEMBLED)
def test_an_instruction_is_of_the_kind_that_its_name_says(text: str, word: int, kind: Kind | None) -> None:
    assert kind_of(word) is kind, text


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_was_seen_from_an_assembler(kind: Kind) -> None:
    assert kind in {each for _, _, each in ASSEMBLED}


def test_no_instruction_is_of_two_kinds() -> None:
    for text, word, _ in ASSEMBLED:
        assert len({each.kind for each in ENCODINGS if each.holds(word)}) <= 1, text


@pytest.mark.parametrize(
    "careless",
    [
        Encoding(Kind.FLOAT32, 0xBF20FC00, 0x0E20CC00),  # does not look at the bit that tells FMLS from FMLA
        Encoding(Kind.DOT, 0x9F20F400, 0x0E009400),  # nor at the size, nor at the last bits of the operation
        Encoding(Kind.WIDENING, 0x9F20EC00, 0x0E20C000),  # takes the saturating multiplication as well
    ],
    ids=["float32", "dot", "widening"],
)
def test_a_careless_mask_would_be_caught(careless: Encoding) -> None:
    assert any(careless.holds(word) for _, word, kind in ASSEMBLED if kind is not careless.kind)


def test_the_plugin_is_told_every_encoding_and_has_room_for_it() -> None:
    assert arguments()[0] == "kind=dot:9fe0fc00:0e809400"
    assert len(arguments()) == len(ENCODINGS) <= 16
