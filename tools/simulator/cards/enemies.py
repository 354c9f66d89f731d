"""What others do with somebody's card: a cheap copy; a full one, keys and all, is `cp`, and no chip hands it out.

Rules kept here:
- The copier talks to the card through its reader as anybody could, and knows no key.
"""

from __future__ import annotations

from tools.simulator.cards.applications import AID_BYTES
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import MAX_FILES, PICC, Application, DataFile, Key, Kind, Memory, Mode, blank

_OK = b"\x91\x00"
_MORE = b"\x91\xaf"
_NTAG_SELECT = bytes.fromhex("00A4040007D276000085010100")
_CHUNK_BYTES = 0xF0  # what surely fits into one answer
_MAX_KEYS = 14


def clone_of(card: SimulatedCard) -> SimulatedCard:
    """A card of the same kind and number with what `card` tells without a key; its keys are those of a new card.

    The victim has been in a field: its session is gone.
    """
    card.reset()
    uid = card.process(bytes.fromhex("FFCA000000"))[:-2]
    copy = Memory(card.kind, uid)
    if card.kind is Kind.NTAG424:
        copy = blank(card.kind, uid)
        card.process(_NTAG_SELECT)
        for number, file in _files(card, native=False).items():
            copy.applications[1].files[number] = file
    elif card.kind is not Kind.UID_ONLY:
        numbers = _ask(card, 0x6A) or b""
        for at in range(0, len(numbers), AID_BYTES):
            aid = numbers[at : at + AID_BYTES]
            _ask(card, 0x5A, aid)
            copy.applications[int.from_bytes(aid, "little")] = Application(0x0F, _keys(card), _files(card, native=True))
    _ask(card, 0x5A, PICC.to_bytes(AID_BYTES, "little"))
    card.reset()
    return SimulatedCard(copy)


def _keys(card: SimulatedCard) -> list[Key]:
    """Keys of the versions the card tells, and of no value."""
    versions = (_ask(card, 0x64, bytes([number])) for number in range(_MAX_KEYS))
    return [Key(version=version[0]) for version in versions if version]


def _files(card: SimulatedCard, *, native: bool) -> dict[int, DataFile]:
    """Files as they are listed; zeros where reading takes a key."""
    found = {}
    for number in range(MAX_FILES):
        told = _ask(card, 0xF5, bytes([number]))
        if told is None:
            continue
        size = int.from_bytes(told[4:7], "little")
        read = [_read(card, number, at, min(_CHUNK_BYTES, size - at), native) for at in range(0, size, _CHUNK_BYTES)]
        data = b"".join(part or b"" for part in read)
        rights = int.from_bytes(told[2:4], "little")
        found[number] = DataFile(data.ljust(size, b"\x00"), rights, Mode(told[1]), bool(told[0]))
    return found


def _read(card: SimulatedCard, number: int, at: int, length: int, native: bool) -> bytes | None:  # noqa: FBT001 - which chip
    header = bytes([number]) + at.to_bytes(3, "little") + length.to_bytes(3, "little")
    return _ask(card, 0xBD if native else 0xAD, header)


def _ask(card: SimulatedCard, command: int, parameters: bytes = b"") -> bytes | None:
    """A native command in plain, all its frames; None if it is refused."""
    whole = b""
    while True:
        length = bytes([len(parameters)]) if parameters else b""
        answer = card.process(bytes([0x90, command, 0, 0]) + length + parameters + b"\x00")
        whole += answer[:-2]
        if answer[-2:] == _OK:
            return whole
        if answer[-2:] != _MORE:
            return None
        command, parameters = 0xAF, b""
