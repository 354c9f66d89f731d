"""Kinds of A64 instructions that tell how a network is computed.

Rules kept here:
- An instruction is of at most one kind; everything else is counted only in the sum.
- What belongs to a kind is said by the bits of its encoding: (word & mask) == value.

Source of the encodings: Arm Architecture Reference Manual for A-profile (DDI 0487), "Advanced SIMD three same", "three
same extra", "three different", "vector x indexed element". Checked against an assembler in tests/unit/arm64.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Kind(StrEnum):
    """What an instruction does to vectors."""

    DOT = "dot"  # sums of four products of 8-bit integers, four at once: SDOT, UDOT; ARMv8.2 with FEAT_DotProd
    MATRIX = "matrix"  # 8-bit matrices: SMMLA, UMMLA; FEAT_I8MM
    FLOAT32 = "float32"  # FMLA, 32 bits
    FLOAT16 = "float16"  # FMLA, 16 bits; FEAT_FP16
    WIDENING = "widening"  # SMULL, SMLAL and their unsigned sisters: how integers are multiplied without DOT


@dataclass(frozen=True, slots=True)
class Encoding:
    """The instructions whose word, under `mask`, is `value`."""

    kind: Kind
    mask: int
    value: int

    def holds(self, word: int) -> bool:
        """If the instruction `word` (32 bits) is one of these."""
        return word & self.mask == self.value


ENCODINGS = (
    Encoding(Kind.DOT, 0x9FE0FC00, 0x0E809400),
    Encoding(Kind.DOT, 0x9FC0F400, 0x0F80E000),  # by element
    Encoding(Kind.MATRIX, 0xDFE0F400, 0x4E80A400),
    Encoding(Kind.FLOAT32, 0xBFA0FC00, 0x0E20CC00),
    Encoding(Kind.FLOAT32, 0xBF80F400, 0x0F801000),  # by element
    Encoding(Kind.FLOAT16, 0xBFE0FC00, 0x0E400C00),
    Encoding(Kind.FLOAT16, 0xBFC0F400, 0x0F001000),  # by element
    Encoding(Kind.WIDENING, 0x9F20FC00, 0x0E208000),  # add
    Encoding(Kind.WIDENING, 0x9F00F400, 0x0F002000),  # add, by element
    Encoding(Kind.WIDENING, 0x9F20FC00, 0x0E20C000),
    Encoding(Kind.WIDENING, 0x9F00F400, 0x0F00A000),  # by element
)


def kind_of(word: int) -> Kind | None:
    """The kind of the instruction `word`, or None for any other."""
    return next((each.kind for each in ENCODINGS if each.holds(word)), None)


def arguments() -> list[str]:
    """The kinds as arguments of the plugin (count.c)."""
    return [f"kind={each.kind}:{each.mask:08x}:{each.value:08x}" for each in ENCODINGS]
