"""DESFire EV2 and EV3, NTAG 424 DNA: AuthenticateEV2First, and the messaging that follows.

Rules kept here:
- The card shows that it knows the key by turning our fresh random number; without that there is no session.
- Every message is bound to the session (both keys and the transaction identifier come from both random numbers) and to
  its place in it (the command counter). Every answer has a MAC, and it is checked first.
- Contents of files travel enciphered and with a MAC (Mode.FULL).
- Whoever is sent data answers with a MAC and nothing else. That MAC is known beforehand, so it is worked out before the
  command goes out: between a card's last answer and the open door is a comparison.

Sources: NXP AN12196 (NTAG 424 DNA features and hints), sections on AuthenticateEV2First and on CommMode.MAC and .Full;
NXP AN12343 (DESFire Light features and hints), which shows the same for DESFire. SV1 and SV2: NIST SP 800-108 in
counter mode with CMAC. Padding is 80 and zeros, always at least one byte; of a CMAC the bytes 1, 3, ... 15 are sent.
"""

from __future__ import annotations

from device.keeper.cards.aes import BLOCK_BYTES, ZEROS, cmac, decipher, encipher, xor
from device.keeper.cards.session import (
    CHANGE_KEY,
    KEY_VERSION,
    MAC_BYTES,
    RANDOM_BYTES,
    Mode,
    challenge,
    response,
    same,
    turned,
)
from device.keeper.cards.steps import OK, Answer, CardRefused, Draw, Reason, Steps, native

AUTHENTICATE_EV2_FIRST = 0x71
_KEY_0_NO_CAPABILITIES = b"\0\0"
_SESSION_BYTES = 32  # transaction identifier (4) | RndA' (16) | PDcap2 (6) | PCDcap2 (6)
_TI_BYTES = 4
_SV_ENC, _SV_MAC = bytes.fromhex("a55a00010080"), bytes.fromhex("5aa500010080")
_IV_COMMAND, _IV_ANSWER = bytes.fromhex("a55a"), bytes.fromhex("5aa5")


class Ev2Session:
    """One session: its keys `enc` and `mac`, its transaction identifier `ti` (4 bytes); `counter` counts commands."""

    strongest = Mode.FULL

    def __init__(self, enc: bytes, mac: bytes, ti: bytes, counter: int = 0) -> None:
        self._enc = enc
        self._mac = mac
        self._ti = ti
        self._counter = counter
        self._due: bytes | None = None  # the MAC of an answer without data

    def command(self, instruction: int, header: bytes, data: bytes, mode: Mode) -> bytes:
        if mode is Mode.FULL and data:
            data = encipher(self._enc, _padded(data), self._iv(_IV_COMMAND))
        self._due = self._tag(OK & 0xFF, b"", self._counter + 1) if data else None
        return native(instruction, header + data + self._tag(instruction, header + data, self._counter))

    def answer(self, answer: Answer, size: int, mode: Mode) -> bytes:
        enciphered = mode is Mode.FULL and size > 0
        sent = (size // BLOCK_BYTES + 1) * BLOCK_BYTES if enciphered else size
        body = answer.expect(sent + MAC_BYTES)
        self._counter += 1
        data, mac = body[:sent], body[sent:]
        due = self._due if self._due and not data else self._tag(OK & 0xFF, data, self._counter)
        if not same(due, mac):
            raise CardRefused(Reason.GARBLED)
        if not enciphered:
            return data
        plain = decipher(self._enc, data, self._iv(_IV_ANSWER))
        if plain != _padded(plain[:size]):
            raise CardRefused(Reason.GARBLED)
        return plain[:size]

    def change_key(self, new: bytes) -> bytes:
        return self.command(CHANGE_KEY, b"\0", new + bytes((KEY_VERSION,)), Mode.FULL)

    def _iv(self, label: bytes) -> bytes:
        return encipher(self._enc, (label + self._ti + _place(self._counter)).ljust(BLOCK_BYTES, b"\0"))

    def _tag(self, first: int, data: bytes, counter: int) -> bytes:
        return cmac(self._mac, bytes((first,)) + _place(counter) + self._ti + data)[1::2]


def authenticate(key: bytes, draw: Draw) -> Steps[Ev2Session]:
    """A session with the selected application's key 0, which must be `key`. Raises CardRefused."""
    theirs = decipher(key, (yield from challenge(AUTHENTICATE_EV2_FIRST, _KEY_0_NO_CAPABILITIES)))
    ours = draw(RANDOM_BYTES)
    back = yield from response(encipher(key, ours + turned(theirs)), _SESSION_BYTES)
    plain = decipher(key, back)
    if not same(plain[_TI_BYTES : _TI_BYTES + RANDOM_BYTES], turned(ours)):
        raise CardRefused(Reason.UNKNOWN_KEY)
    return Ev2Session(*session_keys(key, ours, theirs), plain[:_TI_BYTES])


def session_keys(key: bytes, ours: bytes, theirs: bytes) -> tuple[bytes, bytes]:
    """The keys for enciphering and for MACs that follow from `key` and both random numbers (16 bytes each)."""
    both = ours[:2] + xor(ours[2:8], theirs[:6]) + theirs[6:] + ours[8:]
    return cmac(key, _SV_ENC + both), cmac(key, _SV_MAC + both)


def _place(counter: int) -> bytes:
    return counter.to_bytes(2, "little")


def _padded(data: bytes) -> bytes:
    return data + b"\x80" + ZEROS[: BLOCK_BYTES - 1 - len(data) % BLOCK_BYTES]
