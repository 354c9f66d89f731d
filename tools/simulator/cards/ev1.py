"""DESFire EV1 secure messaging after AuthenticateAES (AN12757, tables 20 to 28).

Rules kept here:
- One vector runs through the whole session: every command and every answer moves it on, so that none can be left out,
  repeated or swapped.
- Every good answer ends in a CMAC of it and its status, or is enciphered with a CRC of the two. Of commands only the
  data of a MACed or enciphered file carry a check of their own; of the others a change shows in the next answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.simulator.cards import aes
from tools.simulator.cards.memory import Key, Mode
from tools.simulator.cards.status import Refused, Status

_MAC_BYTES = 8
_CRC_BYTES = 4
_OK = bytes([Status.OK])


def session_key(rnd_a: bytes, rnd_b: bytes) -> bytes:
    """The AES session key: the first and last four bytes of both random numbers, in turns."""
    return rnd_a[:4] + rnd_b[:4] + rnd_a[12:] + rnd_b[12:]


@dataclass(slots=True)
class Ev1Session:
    """A session of key number `key_no`."""

    key_no: int | None
    key: bytes
    vector: bytes = aes.ZERO
    usual: Mode = Mode.PLAIN

    def request(self, command: int, header: bytes, rest: bytes, mode: Mode) -> None:
        if rest:
            raise Refused(Status.LENGTH)
        self._mac(bytes([command]) + header)

    def size(self, length: int, mode: Mode) -> int:
        match mode:
            case Mode.PLAIN:
                return length
            case Mode.MAC:
                return length + _MAC_BYTES
            case Mode.FULL:
                return len(aes.zero_pad(bytes(length + _CRC_BYTES)))

    def receive(self, command: int, header: bytes, rest: bytes, mode: Mode, length: int) -> bytes:
        if len(rest) != self.size(length, mode):
            raise Refused(Status.LENGTH)
        start = bytes([command]) + header
        match mode:
            case Mode.PLAIN:
                self._mac(start + rest)
                return rest
            case Mode.MAC:
                data, mac = rest[:length], rest[length:]
                self.verify(self._mac(start + data)[:_MAC_BYTES], mac)
                return data
            case Mode.FULL:
                plain = self._decrypt(rest)
                data, tail = plain[:length], plain[length:]
                self.verify(aes.crc32(start + data).ljust(len(tail), b"\x00"), tail)
                return data

    def new_key(self, command: int, header: bytes, rest: bytes, old: bytes | None) -> Key:
        if len(rest) != 2 * aes.BLOCK:
            raise Refused(Status.LENGTH)
        plain = self._decrypt(rest)
        length = aes.KEY_BYTES + 1
        data, tail = plain[:length], plain[length:]
        value, crc = data[:-1], aes.crc32(bytes([command]) + header + data)
        if old is not None:  # a second CRC, of the key itself, shows that the reader knew the old one
            value = aes.xor(value, old)
            crc += aes.crc32(value)
        self.verify(crc.ljust(len(tail), b"\x00"), tail)
        return Key(value, data[-1])

    def answer(self, data: bytes, mode: Mode, *, to_the_end: bool = False) -> bytes:
        if mode is Mode.FULL and data:
            plain = data + aes.crc32(data + _OK)
            plain = aes.pad(plain) if to_the_end else aes.zero_pad(plain)
            cipher = aes.encrypt(self.key, self.vector, plain)
            self.vector = cipher[-aes.BLOCK :]
            return cipher
        return data + self._mac(data + _OK)[:_MAC_BYTES]

    def verify(self, wanted: bytes, given: bytes) -> None:
        """Refuse what is not as it must be. Raises Refused."""
        if given != wanted:
            raise Refused(Status.INTEGRITY)

    def _mac(self, message: bytes) -> bytes:
        self.vector = aes.chained_cmac(self.key, self.vector, message)
        return self.vector

    def _decrypt(self, cipher: bytes) -> bytes:
        if not cipher or len(cipher) % aes.BLOCK:
            raise Refused(Status.LENGTH)
        plain = aes.decrypt(self.key, self.vector, cipher)
        self.vector = cipher[-aes.BLOCK :]
        return plain
