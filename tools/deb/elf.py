"""What a shared object from a wheel asks of the machine: processor, page size, libraries.

Rules kept here:
- A file that is no 64-bit little-endian ELF file is refused with a sentence, never guessed at.

Offsets and constants: System V ABI, chapters "Object Files" and "Program Loading" (Elf64_Ehdr, Elf64_Phdr, Elf64_Dyn).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from device.errors import Refusal

_MAGIC = b"\x7fELF\x02\x01"
_HEADER = struct.Struct("<16xHHIQQQIHHH")  # e_type, e_machine, …, e_phoff, …, e_phentsize, e_phnum
_PROGRAM = struct.Struct("<IIQQQQQQ")  # p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
_DYNAMIC = struct.Struct("<qQ")
_LOAD, _DYNAMIC_SEGMENT = 1, 2
_NEEDED, _STRTAB = 1, 5


class NoElf(Refusal, ValueError):
    """A file is no shared object of a 64-bit little-endian machine."""


@dataclass(frozen=True, slots=True)
class SharedObject:
    """`machine`: e_machine. `align`: the smallest alignment of a loaded segment, in bytes. `needed`: DT_NEEDED."""

    machine: int
    align: int
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int
    align: int


def is_elf(content: bytes) -> bool:
    """Whether these bytes begin as any ELF file does."""
    return content.startswith(_MAGIC[:4])


def read(content: bytes, name: str) -> SharedObject:
    """What the ELF file `content` asks for. Raises NoElf, with `name` in the sentence."""
    try:
        if not content.startswith(_MAGIC):
            raise NoElf(f"{name} is no 64-bit little-endian ELF file")
        _, machine, _, _, begins, _, _, _, size, count = _HEADER.unpack_from(content)
        segments = [_segment(content, begins + number * size) for number in range(count)]
        align = min((each.align for each in segments if each.kind == _LOAD), default=0)
        return SharedObject(machine, align, tuple(_needed(content, segments)))
    except (struct.error, ValueError, StopIteration) as cause:
        if isinstance(cause, NoElf):
            raise
        raise NoElf(f"{name} is a damaged ELF file") from cause


def _segment(content: bytes, at: int) -> _Segment:
    kind, _, offset, address, _, size, _, align = _PROGRAM.unpack_from(content, at)
    return _Segment(kind, offset, address, size, align)


def _needed(content: bytes, segments: list[_Segment]) -> list[str]:
    names = []
    for dynamic in (each for each in segments if each.kind == _DYNAMIC_SEGMENT):
        end = dynamic.offset + dynamic.size - _DYNAMIC.size + 1
        entries = [_DYNAMIC.unpack_from(content, at) for at in range(dynamic.offset, end, _DYNAMIC.size)]
        table = next(value for tag, value in entries if tag == _STRTAB)
        begin = next(
            each.offset + table - each.address
            for each in segments
            if each.kind == _LOAD and each.address <= table < each.address + each.size
        )
        starts = [begin + value for tag, value in entries if tag == _NEEDED]
        names += [content[at : content.index(b"\0", at)].decode("utf-8", "replace") for at in starts]
    return names
