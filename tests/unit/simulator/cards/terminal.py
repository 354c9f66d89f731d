"""A reader for these tests: secure messaging seen from the other side, and shorthands for APDUs.

It shares no code with the cards; the published vectors hold both to NXP's notes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from Crypto.Cipher import AES
from Crypto.Hash import CMAC

from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind, Mode

ZERO = bytes(16)
RND_A = bytes(range(16))
OK, MORE = "9100", "91AF"
NTAG_NAME = "00A4040007D276000085010100"
AID = bytes.fromhex("F5D0A1")


def h(text: str) -> bytes:
    return bytes.fromhex(text)


def drawn(*values: str) -> Callable[[int], bytes]:
    """A random source that gives these values, in this order."""
    rest = [h(value) for value in values]

    def draw(count: int) -> bytes:
        value = rest.pop(0)
        assert len(value) == count
        return value

    return draw


def ask(card: SimulatedCard, apdu: str) -> str:
    return card.process(h(apdu)).hex().upper()


def native(ins: int, data: bytes = b"") -> bytes:
    return bytes([0x90, ins, 0, 0]) + (bytes([len(data)]) + data if data else b"") + b"\x00"


def cbc(key: bytes, iv: bytes, data: bytes, *, decrypt: bool = False) -> bytes:
    cipher = AES.new(key, AES.MODE_CBC, iv=iv)
    return cipher.decrypt(data) if decrypt else cipher.encrypt(data)


def cmac(key: bytes, message: bytes) -> bytes:
    return CMAC.new(key, message, ciphermod=AES).digest()


def crc(data: bytes) -> bytes:
    return (zlib.crc32(data) ^ 0xFFFFFFFF).to_bytes(4, "little")


def turned(data: bytes) -> bytes:
    return data[1:] + data[:1]


def filled(data: bytes, first: bytes = b"\x80") -> bytes:
    data += first
    return data + bytes(-len(data) % 16)


class Terminal:
    """Talks to one card. `touch` may change an APDU on its way."""

    def __init__(self, card: SimulatedCard) -> None:
        self.card = card
        self.touch: Callable[[bytes], bytes] = bytes
        self.iv = ZERO
        self.key = self.mac_key = ZERO
        self.ti: bytes | None = None
        self.counter = 0

    def send(self, ins: int, data: bytes = b"") -> tuple[bytes, str]:
        """One APDU, and the frames that follow it; the answer without its status, and that."""
        answer = self.card.process(self.touch(native(ins, data)))
        whole = answer[:-2]
        while answer[-2:] == h(MORE) and ins not in {0x71, 0x77, 0xAA}:
            answer = self.card.process(native(0xAF))
            whole += answer[:-2]
        return whole, answer[-2:].hex().upper()

    def authenticate(self, key_no: int, key: bytes = ZERO, *, ev2: bool) -> str:
        start = bytes([key_no, 0]) if ev2 else bytes([key_no])
        challenge, status = self.send(0x71 if ev2 else 0xAA, start)
        if status != MORE:
            return status
        rnd_b = cbc(key, ZERO, challenge, decrypt=True)
        proof = cbc(key, ZERO if ev2 else challenge, RND_A + turned(rnd_b))
        answer, status = self.send(0xAF, proof)
        if status != OK:
            return status
        plain = cbc(key, ZERO if ev2 else proof[-16:], answer, decrypt=True)
        self.counter, self.iv = 0, ZERO
        if ev2:
            self.ti = plain[:4]
            assert plain[4:] == turned(RND_A) + bytes(12)
            mixed = bytes(a ^ b for a, b in zip(RND_A[2:8], rnd_b[:6], strict=True))
            context = RND_A[:2] + mixed + rnd_b[6:] + RND_A[8:]
            self.key = cmac(key, h("A55A00010080") + context)
            self.mac_key = cmac(key, h("5AA500010080") + context)
        else:
            self.ti = None
            assert plain == turned(RND_A)
            self.key = RND_A[:4] + rnd_b[:4] + RND_A[12:] + rnd_b[12:]
        return status

    def command(self, ins: int, header: bytes, data: bytes = b"", mode: Mode = Mode.MAC) -> tuple[bytes, str]:
        """A command within the session; the answer's data, checked, and the status."""
        sent = self._ev2(ins, header, data, mode) if self.ti else self._ev1(ins, header, data, mode)
        answer, status = self.send(ins, header + sent)
        if status != OK:
            return answer, status
        return (self._ev2_answer if self.ti else self._ev1_answer)(answer, mode), status

    def _ev1_mac(self, message: bytes) -> bytes:
        # A block that enciphers to the vector sets the chain to it.
        self.iv = cmac(self.key, cbc(self.key, ZERO, self.iv, decrypt=True) + message)
        return self.iv[:8]

    def _ev1(self, ins: int, header: bytes, data: bytes, mode: Mode) -> bytes:
        whole = bytes([ins]) + header + data
        if not data or mode is not Mode.FULL:
            mac = self._ev1_mac(whole)
            return data + mac if data and mode is Mode.MAC else data
        return self._ev1_cipher(data + crc(whole))

    def _ev1_cipher(self, plain: bytes) -> bytes:
        sent = cbc(self.key, self.iv, filled(plain, b""))
        self.iv = sent[-16:]
        return sent

    def _ev1_answer(self, answer: bytes, mode: Mode) -> bytes:
        if mode is Mode.FULL and len(answer) > 8:
            plain = cbc(self.key, self.iv, answer, decrypt=True)
            self.iv = answer[-16:]
            # The shortest that fits: a CRC that begins with a nought also fits one byte further on, into the padding.
            length = next(at for at in range(len(plain) - 3) if crc(plain[:at] + b"\x00") == plain[at : at + 4])
            return plain[:length]
        data, mac = answer[:-8], answer[-8:]
        assert self._ev1_mac(data + b"\x00") == mac
        return data

    def _ev2_mac(self, code: int, data: bytes) -> bytes:
        assert self.ti
        return cmac(self.mac_key, bytes([code]) + self.counter.to_bytes(2, "little") + self.ti + data)[1::2]

    def _ev2_iv(self, label: str) -> bytes:
        assert self.ti
        return cbc(self.key, ZERO, h(label) + self.ti + self.counter.to_bytes(2, "little") + bytes(8))

    def _ev2(self, ins: int, header: bytes, data: bytes, mode: Mode) -> bytes:
        if mode is Mode.PLAIN:
            return data
        if mode is Mode.FULL and data:
            data = cbc(self.key, self._ev2_iv("A55A"), filled(data))
        return data + self._ev2_mac(ins, header + data)

    def _ev2_answer(self, answer: bytes, mode: Mode) -> bytes:
        self.counter += 1
        if mode is Mode.PLAIN:
            return answer
        data, mac = answer[:-8], answer[-8:]
        assert self._ev2_mac(0, data) == mac
        if mode is Mode.FULL and data:
            data = cbc(self.key, self._ev2_iv("5AA5"), data, decrypt=True)
            data = data.rstrip(b"\x00")[:-1]
        return data

    def change_key(self, number: int, new: bytes, version: int, old: bytes | None) -> str:
        """`old`: the key that is replaced, None if it is the session's own."""
        value = new if old is None else bytes(a ^ b for a, b in zip(new, old, strict=True))
        data, header = value + bytes([version]), bytes([number])
        if self.ti:
            return self.send(
                0xC4, header + self._ev2(0xC4, header, data + (b"" if old is None else crc(new)), Mode.FULL)
            )[1]
        plain = data + crc(b"\xc4" + header + data) + (b"" if old is None else crc(new))
        return self.send(0xC4, header + self._ev1_cipher(plain))[1]


def at(number: int, offset: int, length: int) -> bytes:
    """The header of ReadData and WriteData."""
    return bytes([number]) + offset.to_bytes(3, "little") + length.to_bytes(3, "little")


def ready(kind: Kind, **files: tuple[int, Mode, bool]) -> SimulatedCard:
    """A card with an application of five zero keys selected, and files f1=(rights, mode, backup) of 64 bytes."""
    card = SimulatedCard.new(kind)
    if kind is Kind.NTAG424:
        assert ask(card, NTAG_NAME) == "9000"
        return card
    assert card.process(native(0xCA, AID + b"\x0f\x85")) == h(OK)
    assert card.process(native(0x5A, AID)) == h(OK)
    for name, (rights, mode, backup) in files.items():
        data = bytes([int(name[1:]), mode]) + rights.to_bytes(2, "little") + (64).to_bytes(3, "little")
        assert card.process(native(0xCB if backup else 0xCD, data)) == h(OK)
    return card
